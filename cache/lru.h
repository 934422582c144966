// Lru: evicts what was used longest ago.
#pragma once

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"

namespace cistern::cache {

// Nearly exact, unless told to be exact: an entry among the newest 1/8 is not moved again, which
// spares a hot entry's hits the writes to its neighbours' cache lines and changes no victim that
// matters.
class Lru final : public EvictionPolicy {
 public:
  enum class Moves : uint8_t { kLazily, kAlways };
  explicit Lru(Moves moves = Moves::kLazily) : EvictionPolicy(0, kTouchAll), moves_(moves) {}

  void Insert(Entry* entry) override;
  void Remove(Entry* entry) override { queue_.Remove(entry); }
  Entry* Evict() override { return queue_.PopBack(); }

 private:
  void Touch(Entry* entry) override;

  const Moves moves_;
  EntryQueue queue_;
  uint32_t moved_ = 0;  // an entry's stamp is its value when the entry came to the front
};

}  // namespace cistern::cache
