#include "cache/ghosts.h"

#include <algorithm>
#include <new>
#include <utility>

namespace cistern::cache {
namespace {

// The clock has 16 bits. A window of at most a quarter of them leaves it time to replace what is
// forgotten before it would seem remembered again.
constexpr int kWindowBits = 14;

}  // namespace

Ghosts::~Ghosts() {
  Free(&table_);
  Free(&half_);
}

void Ghosts::Fit(size_t keys, uint64_t window) {
  while ((window >> shift_) >> kWindowBits != 0)
    ++shift_;
  window_ = window;
  const size_t segments = keys / kSegmentKeys + 1;
  if (segments <= table_.segments) return;
  if (table_.segments == 0) {
    table_ = TableOf(segments);
    return;
  }
  // Keys come to all parts alike: by now nearly everything of it has been taken over.
  Free(&half_);
  half_ = std::exchange(table_, TableOf(2 * table_.segments));
}

Ghosts::Table Ghosts::TableOf(size_t segments) {
  return {segments, std::vector<Segment*>((segments + kChunk - 1) / kChunk)};
}

void Ghosts::Prefetch(uint64_t hash) const {
  const uint64_t line = LineNumber(hash);
  const size_t i = line / kLines;
  if (i >= table_.segments) return;
  const Segment* chunk = table_.chunks[i / kChunk];
  if (chunk == nullptr || chunk[i % kChunk].lines == Ref::kNone) return;
  __builtin_prefetch(LinesOf(chunk[i % kChunk]) + line % kLines);
}

Ghosts::Line* Ghosts::LineOf(uint64_t hash) {
  const uint64_t line = LineNumber(hash);
  const size_t i = line / kLines;
  if (i >= table_.segments) return nullptr;  // there are none
  Segment*& chunk = table_.chunks[i / kChunk];
  if (chunk == nullptr) {
    const Ref piece = slabs_.Allocate(kPieceBytes);
    if (piece == Ref::kNone) return nullptr;
    chunk = new (slabs_.At(piece)) Segment[kChunk];
    ++pieces_;
  }
  Segment& segment = chunk[i % kChunk];
  if (segment.lines == Ref::kNone && !Make(&segment, i)) return nullptr;
  if (segment.shift != shift_) CoarsenClock(&segment);
  return LinesOf(segment) + line % kLines;
}

bool Ghosts::Make(Segment* segment, size_t i) {
  segment->lines = slabs_.Allocate(kPieceBytes);
  if (segment->lines == Ref::kNone) return false;
  ++pieces_;
  new (slabs_.At(segment->lines)) Line[kLines];
  segment->shift = shift_;
  if (half_.segments != 0) TakeOver(segment, i);
  return true;
}

// A line's keys belong to one of two lines now, which of them is not known any more: they are
// remembered in both.
void Ghosts::TakeOver(Segment* segment, size_t i) {
  Segment* const chunk = half_.chunks[i / 2 / kChunk];
  if (chunk == nullptr) return;
  Segment& from = chunk[i / 2 % kChunk];
  if (from.lines == Ref::kNone) return;
  segment->shift = from.shift;
  const Line* lines = LinesOf(from) + (i % 2) * (kLines / 2);
  for (size_t line = 0; line < kLines; ++line)
    LinesOf(*segment)[line] = lines[line / 2];
  const size_t other = i ^ 1U;
  const Segment* const others = table_.chunks[other / kChunk];
  if (others != nullptr && others[other % kChunk].lines != Ref::kNone) FreeLines(&from);
}

void Ghosts::FreeLines(Segment* segment) {
  if (segment->lines == Ref::kNone) return;
  slabs_.Free(std::exchange(segment->lines, Ref::kNone));
  --pieces_;
}

void Ghosts::Free(Table* table) {
  for (Segment* chunk : table->chunks) {
    if (chunk == nullptr) continue;
    for (size_t i = 0; i < kChunk; ++i)
      FreeLines(chunk + i);
    slabs_.Free(slabs_.RefOf(chunk));
    --pieces_;
  }
  *table = Table();
}

void Ghosts::CoarsenClock(Segment* segment) {
  const auto old_now = static_cast<uint16_t>(evicted_ >> segment->shift);
  const int by = shift_ - std::exchange(segment->shift, shift_);
  for (size_t line = 0; line < kLines; ++line) {
    for (Ghost& ghost : LinesOf(*segment)[line].ghosts) {
      const auto age = static_cast<uint16_t>(old_now - ghost.clock);
      ghost.clock = static_cast<uint16_t>(Clock() - (age >> by));
    }
  }
}

uint16_t Ghosts::FingerprintOf(uint64_t hash) {
  return static_cast<uint16_t>(std::max<uint64_t>(1, (hash >> 32) & UINT16_MAX));
}

void Ghosts::Add(uint64_t hash, uint64_t bytes) {
  Line* const line = LineOf(hash);
  if (line == nullptr) return;
  evicted_ += bytes;
  // What was taken leaves the window as it moves on.
  taken_ -= taken_ * std::min(1.0, static_cast<double>(bytes) / static_cast<double>(window_));
  const uint16_t now = Clock();
  const auto age = [now](const Ghost& ghost) {
    return ghost.fingerprint == 0 ? UINT32_MAX : static_cast<uint16_t>(now - ghost.clock);
  };
  *std::max_element(line->ghosts.begin(), line->ghosts.end(), [&](const Ghost& a, const Ghost& b) {
    return age(a) < age(b);
  }) = {FingerprintOf(hash), now};
}

bool Ghosts::Take(uint64_t hash, uint64_t bytes) {
  Line* const line = LineOf(hash);
  if (line == nullptr) return false;
  const auto it = std::find_if(
      line->ghosts.begin(), line->ghosts.end(),
      [print = FingerprintOf(hash)](const Ghost& ghost) { return ghost.fingerprint == print; });
  if (it == line->ghosts.end()) return false;
  it->fingerprint = 0;
  const uint64_t limit = (window_ + static_cast<uint64_t>(taken_)) >> shift_;
  if (static_cast<uint16_t>(Clock() - it->clock) >= limit) return false;
  taken_ += static_cast<double>(bytes);
  return true;
}

}  // namespace cistern::cache
