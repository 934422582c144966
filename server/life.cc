#include "server/life.h"

#include <algorithm>
#include <limits>

#include "server/arguments.h"
#include "server/error_texts.h"

namespace cistern::server {
namespace {

using std::chrono::milliseconds;

// Adding it to any reading of a clock must not overflow.
constexpr milliseconds kLongestLife = std::chrono::hours(200 * 365 * 24);

// What a thread may be held between the readings of the two clocks, so that two such errors stay
// below half a millisecond; after a few tries whatever it is.
constexpr cache::Duration kReadAtOnce = std::chrono::microseconds(100);
constexpr int kReadTries = 10;

int64_t Milliseconds(cache::WallTime wall) {
  return std::chrono::floor<milliseconds>(wall.time_since_epoch()).count();
}

}  // namespace

TimeReading::TimeReading(const cache::Clock& clock) {
  for (int i = 0; i < kReadTries; ++i) {
    const cache::Instant before = clock.Now();
    wall_ = clock.WallNow();
    now_ = clock.Now();
    if (now_ - before < kReadAtOnce) return;
  }
}

tl::expected<cache::Instant, std::string> TimeReading::EndOf(const LifeWords& words,
                                                             std::string_view command,
                                                             PastEnds past) const {
  const auto count = ParseInteger(words.count);
  if (!count) return tl::unexpected(std::string(error_texts::kNotAnInteger));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  const auto unit = static_cast<int64_t>(words.unit);
  const bool is_refused = past == PastEnds::kRefused && *count <= 0;
  if (is_refused || *count > kMost / unit || *count < kLeast / unit) {
    return tl::unexpected(error_texts::InvalidExpire(command));
  }
  const int64_t ms = *count * unit;
  // A relative end must be one that can be said as an absolute one.
  if (!words.is_absolute && ms > kMost - Milliseconds(wall_)) {
    return tl::unexpected(error_texts::InvalidExpire(command));
  }
  if (!words.is_absolute) {
    return now_ + std::clamp(milliseconds(ms), -kLongestLife, kLongestLife);
  }
  const milliseconds today(Milliseconds(wall_));
  const milliseconds end = std::clamp(milliseconds(ms), today - kLongestLife, today + kLongestLife);
  return now_ + (end - wall_.time_since_epoch());
}

int64_t TimeReading::SinceEpoch(cache::Instant at) const {
  return std::chrono::round<milliseconds>(wall_.time_since_epoch() + (at - now_)).count();
}

int64_t TimeReading::Left(cache::Instant end) const {
  return std::max<int64_t>(std::chrono::ceil<milliseconds>(end - now_).count(), 0);
}

}  // namespace cistern::server
