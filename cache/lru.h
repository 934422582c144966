// Lru: evicts what was used longest ago.
#pragma once

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"

namespace cistern::cache {

// Nearly exact, unless told to be exact: an entry among the newest 1/16 to 1/8 is not moved again,
// which spares a hot entry's hits the writes to its neighbours' cache lines and changes no victim
// that matters.
class Lru final : public EvictionPolicy {
 public:
  enum class Moves : uint8_t { kLazily, kAlways };
  explicit Lru(const Arena& arena, Moves moves = Moves::kLazily)
      : EvictionPolicy(0, kTouchAll), moves_(moves), queue_(arena) {}

  void Insert(Entry* entry, uint64_t hash) override;
  void Remove(Entry* entry) override { queue_.Remove(entry); }
  void Replace(Entry* copy) override { queue_.Replace(copy); }
  Entry* Evict() override { return queue_.PopBack(); }

 private:
  void Touch(Entry* entry, uint64_t hash) override;

  const Moves moves_;
  EntryQueue queue_;
  // An era ends when 1/16 of the entries have come to the front. An entry's heat is the era in
  // which it did; one whose era comes round again is moved once less than it could be.
  uint8_t era_ = 0;
  size_t moved_ = 0;  // in this era
};

}  // namespace cistern::cache
