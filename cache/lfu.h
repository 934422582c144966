// Lfu: evicts what was used least often, the one that was used longest ago first.
#pragma once

#include <vector>

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"

namespace cistern::cache {

// With ageing: an entry's rank is its count of uses on top of the rank of the last victim when it
// came, so that what was popular once must be used to stay. (LFU-DA, Arlitt et al. 2000, but that a
// use lifts a rank by one, where they begin anew from the last victim's: a rank is one byte.)
// Ranks end at 255 above the last victim's, so a ring of as many queues holds all of them.
class Lfu final : public EvictionPolicy {
 public:
  enum class Ages : uint8_t { kYes, kNo };
  explicit Lfu(const Arena& arena, Ages ages = Ages::kYes)
      : EvictionPolicy(0, kTouchAll), ages_(ages), ring_(kRing, EntryQueue(arena)) {}

  void Insert(Entry* entry, uint64_t hash) override;
  void Remove(Entry* entry) override;
  void Replace(Entry* copy) override { ring_[copy->heat].Replace(copy); }
  Entry* Evict() override;
  size_t bytes() const override { return sizeof(*this) + kRing * sizeof(EntryQueue); }

 private:
  static constexpr size_t kRing = 256;

  void Touch(Entry* entry, uint64_t hash) override;
  void Push(Entry* entry, uint8_t rank);

  const Ages ages_;
  std::vector<EntryQueue> ring_;  // by rank: an entry's heat
  size_t size_ = 0;
  // Ranks wrap: they are compared by how far they are above the floor.
  uint8_t floor_ = 0;   // the rank of the last victim, with ageing; no rank is below it
  uint8_t lowest_ = 0;  // nor, until the next insertion, below this
};

}  // namespace cistern::cache
