// Grace: the time after its start in which a node does not know the leases that its last start has
// granted.
#pragma once

#include <atomic>

#include "cache/clock.h"

namespace cistern::cache {

// All methods may be called from any thread.
class Grace {
 public:
  // Until then nothing that a holder might have to hear of is confirmed. Never shortens it.
  void Extend(Instant until);
  Instant until() const { return until_.load(); }

 private:
  std::atomic<Instant> until_{Instant::min()};
};

}  // namespace cistern::cache
