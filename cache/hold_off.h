// HoldOff: what was invalidated of late, so that a lagging replica's answer is not kept for long.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cache/budget.h"
#include "cache/entry.h"

namespace cistern::cache {

// After an invalidation a replica that lags may still answer with the older value. So what a load
// brings that began less than the group's `hold_off` after an invalidation of its key is kept until
// that time is over, and no longer.
//
// One a shard, guarded by its lock. Remembers one instant for all keys whose hashes share a slot:
// it never forgets, and what it says may be too late, never too early. Then a value lives shorter
// than it might, which costs one load.
class HoldOff {
 public:
  // Charged to `budget`. REQUIRES: `slots` is a power of two; or 0: nothing is remembered.
  HoldOff(Budget& budget, size_t slots)
      : last_(slots, Instant::min()),
        charge_(budget, ChargeKind::kEntries, slots * sizeof(Instant)) {}

  void Note(uint64_t hash, Instant now) {
    if (last_.empty()) return;
    Instant& last = last_[SlotOf(hash)];
    last = std::max(last, now);
  }
  // Any key may have been invalidated until now.
  void NoteAll(Instant now) { all_ = std::max(all_, now); }

  // When a load of the key that began at `started` brought what may be kept only until then; kNever
  // when it may be kept as long as its TTL says.
  Instant End(uint64_t hash, Instant started, Duration hold_off) const {
    if (last_.empty() || hold_off == Duration(0)) return kNever;
    const Instant end = std::max(all_, last_[SlotOf(hash)]) + hold_off;
    return started < end ? end : kNever;
  }

 private:
  // The hash's top bits chose the shard.
  size_t SlotOf(uint64_t hash) const { return hash & (last_.size() - 1); }

  std::vector<Instant> last_;
  Instant all_ = Instant::min();
  Charge charge_;
};

}  // namespace cistern::cache
