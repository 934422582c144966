// Ghosts: which keys were evicted lately, in about five bytes a key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cache/memory/slabs.h"

namespace cistern::cache {

// A fingerprint of the key, and where a clock of evicted bytes stood when it went: it is remembered
// until `window` more bytes have been evicted that are still remembered, about. Fingerprints of
// different keys may be the same: one question in some thousand is wrongly answered with yes.
//
// The table is made piece by piece as keys come to it, and so is one of twice the size when there
// are more of them: no call touches more than two segments of it, about kMostMoved ghosts each.
class Ghosts {
 public:
  static constexpr size_t kMostMoved = 672;

  // Its memory is that of `tables`, which outlives it; where that has no room, less is remembered.
  explicit Ghosts(Slabs& tables) : slabs_(tables) {}
  ~Ghosts();
  Ghosts(const Ghosts&) = delete;
  Ghosts& operator=(const Ghosts&) = delete;

  // Makes room to remember about so many keys over a window of so many bytes.
  void Fit(size_t keys, uint64_t window);
  // One of the next two is about to be asked of the key: its line is on its way.
  void Prefetch(uint64_t hash) const;
  void Add(uint64_t hash, uint64_t bytes);
  // Whether the key, which weighs so much now, is remembered; it is not any more.
  bool Take(uint64_t hash, uint64_t bytes);

  size_t bytes() const { return pieces_ * kPieceBytes; }

 private:
  struct Ghost {
    uint16_t fingerprint = 0;  // 0: none
    uint16_t clock = 0;
  };
  // One cache line: a key's line is given by its hash, its place there is not.
  struct alignas(kCacheLine) Line {
    std::array<Ghost, 16> ghosts;
  };
  static constexpr size_t kLineSlots = sizeof(Line) / sizeof(Ghost);
  // As large as the index's smallest segments: they share pages.
  static constexpr size_t kLines = kMostMoved / kLineSlots;
  static constexpr size_t kPieceBytes = kLines * sizeof(Line);
  // Lines fill unevenly: a third is spare.
  static constexpr size_t kSegmentKeys = kLines * kLineSlots * 3 / 4;

  struct Segment {
    Ref lines = Ref::kNone;  // not made yet
    int shift = 0;           // its clocks count 2^shift bytes
  };
  static constexpr size_t kChunk = kPieceBytes / sizeof(Segment);
  // Segments in the order of the low halves of their keys' hashes.
  struct Table {
    size_t segments = 0;
    std::vector<Segment*> chunks;  // of kChunk segments each; nullptr: none of them is made yet
  };

  static Table TableOf(size_t segments);
  // Of the whole table; none if that has no segments.
  uint64_t LineNumber(uint64_t hash) const {
    return (hash & UINT32_MAX) * (table_.segments * kLines) >> 32;
  }
  // nullptr: there is no room for it.
  Line* LineOf(uint64_t hash);
  Line* LinesOf(const Segment& segment) const {
    return reinterpret_cast<Line*>(slabs_.At(segment.lines));
  }
  // Segment `i` of the table.
  bool Make(Segment* segment, size_t i);
  // What half_ remembers of its keys; it goes from there if nobody else needs it.
  void TakeOver(Segment* segment, size_t i);
  void FreeLines(Segment* segment);
  void Free(Table* table);
  void CoarsenClock(Segment* segment);
  static uint16_t FingerprintOf(uint64_t hash);
  uint16_t Clock() const { return static_cast<uint16_t>(evicted_ >> shift_); }

  Slabs& slabs_;
  Table table_;
  Table half_;  // what has not been taken over yet of the one before
  size_t pieces_ = 0;
  uint64_t evicted_ = 0;  // bytes
  uint64_t window_ = 0;   // bytes
  double taken_ = 0;      // bytes that were evicted within the window, and taken
  int shift_ = 0;         // a tick is so many bytes, as a power of two
};

}  // namespace cistern::cache
