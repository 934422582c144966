// Lfu: evicts what was used least often, the one that was used longest ago first.
#pragma once

#include <array>

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"

namespace cistern::cache {

// With ageing (LFU-DA): an entry's rank is its count of uses on top of the rank of the last victim,
// so that what was popular once must not stay for ever. Counts end at 255, so ranks differ by less
// than 256, and a ring of as many queues holds all of them.
class Lfu final : public EvictionPolicy {
 public:
  enum class Ages : uint8_t { kYes, kNo };
  explicit Lfu(Ages ages = Ages::kYes) : EvictionPolicy(0, kTouchAll), ages_(ages) {}

  void Insert(Entry* entry) override;
  void Remove(Entry* entry) override;
  Entry* Evict() override;
  size_t bytes() const override { return sizeof(*this); }

 private:
  static constexpr uint32_t kRing = 256;

  void Touch(Entry* entry) override;
  EntryQueue& QueueOf(uint32_t rank) { return ring_[rank % kRing]; }
  void Place(Entry* entry);

  const Ages ages_;
  std::array<EntryQueue, kRing> ring_;  // an entry's stamp is its rank, its heat the count
  size_t size_ = 0;
  uint32_t floor_ = 0;   // the rank of the last victim, with ageing; no rank is below it
  uint32_t lowest_ = 0;  // nor, until the next insertion, below this
};

}  // namespace cistern::cache
