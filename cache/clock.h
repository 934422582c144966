// Time as the cache sees it: one monotonic clock that goes on while the machine sleeps, and the
// wall clock.
#pragma once

#include <chrono>

namespace cistern::cache {

using Duration = std::chrono::nanoseconds;

// CLOCK_BOOTTIME: never goes back, and a paused machine cannot serve what ran out meanwhile.
struct BootTime {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<BootTime>;
  static constexpr bool is_steady = true;  // NOLINT(readability-identifier-naming): std names it
};

using Instant = BootTime::time_point;
using WallTime = std::chrono::system_clock::time_point;

// Where code asks what time it is. All methods may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // A fresh reading of CLOCK_BOOTTIME (a vDSO call, about 30 ns).
  virtual Instant Now() const = 0;
  // The wall clock; for absolute times of clients (EXPIREAT, TIME) only.
  virtual WallTime WallNow() const = 0;
};

// The machine's clocks. Lives as long as the process.
const Clock& SystemClock();

}  // namespace cistern::cache
