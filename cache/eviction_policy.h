// EvictionPolicy: which entry goes when the room runs out. One strategy object a shard and account.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "cache/entry.h"

namespace cistern::cache {

// What an entry takes of the room; does not change while it stands in a policy.
using Weigh = uint64_t (*)(const Entry&);

// What tells how a policy fails, of one group.
struct PolicyCounts {
  uint64_t ghost_hits = 0;    // inserted again soon after they had been evicted: too little room
  uint64_t promotions = 0;    // newcomers kept, because they had been hit
  uint64_t reinsertions = 0;  // others spared when their turn came, because they had been hit
};

class S3FifoSums;
class S3FifoTuner;

struct PolicyContext {
  const Arena& arena;  // holds the entries
  Slabs& tables;       // for what it remembers; outlives the policy
  Weigh weigh;
  std::span<PolicyCounts> counts;  // by group; outlives the policy
  size_t shard = 0;                // its place among the policies of the account
  S3FifoSums* sums = nullptr;      // for "s3fifo" and "adaptive"; outlives the policy
  S3FifoTuner* tuner = nullptr;    // for "adaptive"; likewise
};

// Orders main entries that hold a value by their worth. Guarded by the shard's lock. An entry
// stands in exactly one policy or queue; `prev`, `next` and `heat` are that one's to use.
// Capacity is what the policy holds when it is asked to evict: shares of a budget may move.
class EvictionPolicy {
 public:
  // An eviction looks at no more entries, however many have been hit: it runs under the shard's
  // lock.
  static constexpr size_t kMostLookedAt = 257;

  virtual ~EvictionPolicy() = default;
  EvictionPolicy(const EvictionPolicy&) = delete;
  EvictionPolicy& operator=(const EvictionPolicy&) = delete;

  // `hash` is that of the entry's key.
  virtual void Insert(Entry* entry, uint64_t hash) = 0;
  // Most policies only count hits, up to a cap: then a hot entry's hit writes nothing at all.
  void Hit(Entry* entry, uint64_t hash) {
    if (Counts(*entry)) ++entry->heat;
    if (Touches(hash)) Touch(entry, hash);
  }
  // Whether Hit() would do anything; also for whoever has but a copy, and no lock.
  bool Notes(const Entry& entry, uint64_t hash) const { return Counts(entry) || Touches(hash); }
  // It leaves for another reason than eviction: expired, invalidated, replaced.
  virtual void Remove(Entry* entry) = 0;
  // `copy`, in another place, stands for an entry of the policy from now on.
  virtual void Replace(Entry* copy) = 0;
  // The entry to evict next, already removed from the policy; nullptr when it holds none.
  virtual Entry* Evict() = 0;
  // The entry that is likely to be evicted next; may be null. A hint, like the one below.
  virtual const Entry* Next() const { return nullptr; }
  // An entry of that hash will be inserted or evicted soon.
  virtual void Expect(uint64_t /*hash*/) const {}
  // Entries that evictions have looked at and spared, all together.
  uint64_t spared() const { return spared_; }
  // Memory of its own: what it remembers of evicted entries, tables.
  virtual size_t bytes() const { return 0; }

 protected:
  // Hits are counted up to the cap, at most kCountBits. They are told to Touch() if the key's hash
  // has none of the bits `untouched`: 0 for all hits.
  EvictionPolicy(uint8_t heat_cap, uint64_t untouched)
      : heat_cap_(heat_cap), untouched_(untouched) {}
  static constexpr uint8_t kCountBits = 3;  // of `heat`; the others are the policy's own
  static constexpr uint64_t kTouchNone = UINT64_MAX;
  static constexpr uint64_t kTouchAll = 0;
  void set_untouched(uint64_t bits) { untouched_.store(bits, std::memory_order_relaxed); }
  virtual void Touch(Entry*, uint64_t /*hash*/) {}
  void CountSpared() { ++spared_; }

 private:
  bool Counts(const Entry& entry) const { return (entry.heat & kCountBits) < heat_cap_; }
  bool Touches(uint64_t hash) const {
    return (hash & untouched_.load(std::memory_order_relaxed)) == 0;
  }

  const uint8_t heat_cap_;
  std::atomic<uint64_t> untouched_;
  uint64_t spared_ = 0;
};

// `name` is one of the configuration's policies: "adaptive", "s3fifo", "lru", "lfu", "fifo", "arc".
std::unique_ptr<EvictionPolicy> MakePolicy(std::string_view name, const PolicyContext& context);

}  // namespace cistern::cache
