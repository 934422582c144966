// Backoff: how long to wait before the next try: exponential with decorrelated jitter, so that many
// who lost the same peer do not come back at the same moment.
#pragma once

#include <functional>

#include "cache/clock.h"

namespace cistern::net {

// One caller's. Not thread-safe.
class Backoff {
 public:
  using Duration = cache::Duration;
  // Evenly spread over [0, 1).
  using Random = std::function<double()>;

  // REQUIRES: 0 < first <= cap. The default randomness is seeded by the machine.
  Backoff(Duration first, Duration cap);
  Backoff(Duration first, Duration cap, Random random);

  // The next wait: between `first` and three times the last wait, never above `cap`.
  Duration Next();
  // After a success: the next wait is near `first` again.
  void Reset() { last_ = first_; }

 private:
  Duration first_;
  Duration cap_;
  Duration last_;
  Random random_;
};

}  // namespace cistern::net
