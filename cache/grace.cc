#include "cache/grace.h"

#include "cache/mutant.h"

namespace cistern::cache {

void Grace::Extend(Instant until) {
  if (IsMutant(Mutant::kNoGrace)) return;
  Instant before = until_.load();
  while (before < until && !until_.compare_exchange_weak(before, until)) {
  }
}

}  // namespace cistern::cache
