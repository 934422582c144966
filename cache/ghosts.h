// Ghosts: which keys were evicted lately, in about five bytes a key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cistern::cache {

// A fingerprint of the key, and where a clock of evicted bytes stood when it went: it is remembered
// until `window` more bytes have been evicted that are still remembered, about. Fingerprints of
// different keys may be the same: one question in some thousand is wrongly answered with yes.
class Ghosts {
 public:
  // Makes room to remember about so many keys over a window of so many bytes.
  void Fit(size_t keys, uint64_t window);
  void Add(uint64_t hash, uint64_t bytes);
  // Whether the key, which weighs so much now, is remembered; it is not any more.
  bool Take(uint64_t hash, uint64_t bytes);

  size_t bytes() const { return lines_.capacity() * sizeof(Line); }

 private:
  struct Ghost {
    uint16_t fingerprint = 0;  // 0: none
    uint16_t clock = 0;
  };
  // One cache line: a key's line is given by its hash, its place there is not.
  struct alignas(64) Line {
    std::array<Ghost, 16> ghosts;
  };
  static constexpr size_t kLineSlots = sizeof(Line) / sizeof(Ghost);

  Line& LineOf(uint64_t hash) { return lines_[((hash & UINT32_MAX) * lines_.size()) >> 32]; }
  void Double();
  void CoarsenClock();
  static uint16_t FingerprintOf(uint64_t hash);
  uint16_t Clock() const { return static_cast<uint16_t>(evicted_ >> shift_); }

  std::vector<Line> lines_;
  uint64_t evicted_ = 0;  // bytes
  uint64_t window_ = 0;   // bytes
  double taken_ = 0;      // bytes that were evicted within the window, and taken
  int shift_ = 0;         // a tick is so many bytes, as a power of two
};

}  // namespace cistern::cache
