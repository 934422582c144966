// EvictionPolicy: which entry goes when the room runs out. One strategy object a shard and account.
#pragma once

#include <memory>
#include <string_view>

#include "cache/entry.h"

namespace cistern::cache {

// Orders main entries that hold a value by their worth. Guarded by the shard's lock. An entry
// stands in exactly one policy or queue; `prev`, `next` and `stamp` are that one's to use.
class EvictionPolicy {
 public:
  virtual ~EvictionPolicy() = default;
  virtual void Insert(Entry* entry) = 0;
  virtual void Hit(Entry* entry) = 0;
  // It leaves for another reason than eviction: expired, invalidated, replaced.
  virtual void Remove(Entry* entry) = 0;
  // The entry to evict next, already removed from the policy; nullptr when it holds none.
  virtual Entry* Evict() = 0;
};

// `name` is one of the configuration's policies: "lru".
std::unique_ptr<EvictionPolicy> MakePolicy(std::string_view name);

}  // namespace cistern::cache
