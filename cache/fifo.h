// Fifo: evicts what was kept longest ago, hit or not.
#pragma once

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"

namespace cistern::cache {

class Fifo final : public EvictionPolicy {
 public:
  explicit Fifo(const Arena& arena) : EvictionPolicy(0, kTouchNone), queue_(arena) {}
  void Insert(Entry* entry, uint64_t) override { queue_.PushFront(entry); }
  void Remove(Entry* entry) override { queue_.Remove(entry); }
  void Replace(Entry* copy) override { queue_.Replace(copy); }
  Entry* Evict() override { return queue_.PopBack(); }

 private:
  EntryQueue queue_;
};

}  // namespace cistern::cache
