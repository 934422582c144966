#include "cache/ghosts.h"

#include <algorithm>
#include <utility>

namespace cistern::cache {
namespace {

// The clock has 16 bits. A window of at most a quarter of them leaves it time to replace what is
// forgotten before it would seem remembered again.
constexpr int kWindowBits = 14;

}  // namespace

void Ghosts::Fit(size_t keys, uint64_t window) {
  // Lines fill unevenly: a third is spare.
  const size_t lines = keys / (kLineSlots * 3 / 4) + 1;
  if (lines_.empty()) lines_.resize(lines);
  while (lines_.size() < lines)
    Double();
  while ((window >> shift_) >> kWindowBits != 0)
    CoarsenClock();
  window_ = window;
}

// A line's keys belong to one of two lines now, which of them is not known any more: they are
// remembered in both.
void Ghosts::Double() {
  std::vector<Line> lines(lines_.size() * 2);
  for (size_t i = 0; i < lines.size(); ++i)
    lines[i] = lines_[i / 2];
  lines_ = std::move(lines);
}

void Ghosts::CoarsenClock() {
  const uint16_t old_now = Clock();
  ++shift_;
  const uint16_t now = Clock();
  for (Line& line : lines_) {
    for (Ghost& ghost : line.ghosts)
      ghost.clock = static_cast<uint16_t>(now - static_cast<uint16_t>(old_now - ghost.clock) / 2);
  }
}

uint16_t Ghosts::FingerprintOf(uint64_t hash) {
  return static_cast<uint16_t>(std::max<uint64_t>(1, (hash >> 32) & UINT16_MAX));
}

void Ghosts::Add(uint64_t hash, uint64_t bytes) {
  if (lines_.empty()) return;
  Line& line = LineOf(hash);
  evicted_ += bytes;
  // What was taken leaves the window as it moves on.
  taken_ -= taken_ * std::min(1.0, static_cast<double>(bytes) / static_cast<double>(window_));
  const uint16_t now = Clock();
  const auto age = [now](const Ghost& ghost) {
    return ghost.fingerprint == 0 ? UINT32_MAX : static_cast<uint16_t>(now - ghost.clock);
  };
  *std::max_element(line.ghosts.begin(), line.ghosts.end(), [&](const Ghost& a, const Ghost& b) {
    return age(a) < age(b);
  }) = {FingerprintOf(hash), now};
}

bool Ghosts::Take(uint64_t hash, uint64_t bytes) {
  if (lines_.empty()) return false;
  Line& line = LineOf(hash);
  const auto it = std::find_if(
      line.ghosts.begin(), line.ghosts.end(),
      [print = FingerprintOf(hash)](const Ghost& ghost) { return ghost.fingerprint == print; });
  if (it == line.ghosts.end()) return false;
  it->fingerprint = 0;
  const uint64_t limit = (window_ + static_cast<uint64_t>(taken_)) >> shift_;
  if (static_cast<uint16_t>(Clock() - it->clock) >= limit) return false;
  taken_ += static_cast<double>(bytes);
  return true;
}

}  // namespace cistern::cache
