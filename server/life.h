// Lives: how commands say when a value ends, and how they show it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cache/clock.h"

namespace cistern::server {

// What TTL and its kin say of a key that its owner does not hold, and of one without an end:
// Redis's numbers.
inline constexpr int64_t kTtlOfAbsentKey = -2;
inline constexpr int64_t kTtlOfEndlessKey = -1;

// Of one count, in milliseconds.
enum class LifeUnit : int64_t { kMilliseconds = 1, kSeconds = 1000 };

// An end as a client wrote it: "EX 10", "PXAT 1700000000000".
struct LifeWords {
  std::string_view count;
  LifeUnit unit = LifeUnit::kSeconds;
  bool is_absolute = false;  // since 1970, by the wall clock; else from now on
};

// What commands do with an end that has passed: SET calls it an error, EXPIRE deletes.
enum class PastEnds : uint8_t { kRefused, kAllowed };

// One reading of both clocks, so that an absolute end that was set is shown as the same
// millisecond, as long as nobody sets the wall clock. Immutable.
class TimeReading {
 public:
  explicit TimeReading(const cache::Clock& clock);

  cache::Instant now() const { return now_; }
  // The end that the words say. The error is a whole reply in Redis's words; `command` in lower
  // case. An end more than 200 years away is one in 200 years.
  tl::expected<cache::Instant, std::string> EndOf(const LifeWords& words, std::string_view command,
                                                  PastEnds past) const;
  // Milliseconds since 1970, to the nearest.
  int64_t SinceEpoch(cache::Instant at) const;
  // Milliseconds that are left; a life that has not ended is never 0.
  int64_t Left(cache::Instant end) const;

 private:
  cache::Instant now_;
  cache::WallTime wall_;
};

// As Redis rounds: to the nearest second.
inline int64_t InUnit(int64_t ms, LifeUnit unit) {
  const auto size = static_cast<int64_t>(unit);
  return (ms + size / 2) / size;
}

}  // namespace cistern::server
