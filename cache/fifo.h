// Fifo: evicts what was kept longest ago, hit or not.
#pragma once

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"

namespace cistern::cache {

class Fifo final : public EvictionPolicy {
 public:
  Fifo() : EvictionPolicy(0, kTouchNone) {}
  void Insert(Entry* entry) override { queue_.PushFront(entry); }
  void Remove(Entry* entry) override { queue_.Remove(entry); }
  Entry* Evict() override { return queue_.PopBack(); }

 private:
  EntryQueue queue_;
};

}  // namespace cistern::cache
