#include "cache/shard.h"

#include "cache/mutant.h"

namespace cistern::cache {

void Shard::DetachAll(std::string_view key) {
  if (IsMutant(Mutant::kNoDetach)) return;
  flights.Detach(key);
  to_peer.Detach(key);
  to_backend.Detach(key);
  degraded.Detach(key);
}

void Shard::DetachIf(const std::function<bool(std::string_view)>& detach) {
  if (IsMutant(Mutant::kNoDetach)) return;
  flights.DetachIf(detach);
  to_peer.DetachIf(detach);
  to_backend.DetachIf(detach);
  degraded.DetachIf(detach);
}

Waiters Shard::TakeWaiters() {
  Waiters waiters;
  flights.TakeWaiters(&waiters);
  to_peer.TakeWaiters(&waiters);
  to_backend.TakeWaiters(&waiters);
  degraded.TakeWaiters(&waiters);
  return waiters;
}

}  // namespace cistern::cache
