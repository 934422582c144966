// Arc: recency and frequency share the room, as what was lately evicted from each teaches.
#pragma once

#include <list>
#include <unordered_map>

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"

namespace cistern::cache {

// Megiddo and Modha, FAST'03, with bytes in place of pages: a ghost moves the target by its size.
class Arc final : public EvictionPolicy {
 public:
  explicit Arc(const PolicyContext& context)
      : EvictionPolicy(0, kTouchAll),
        context_(context),
        resident_{Resident{EntryQueue(context.arena)}, Resident{EntryQueue(context.arena)}} {}

  void Insert(Entry* entry, uint64_t hash) override;
  void Remove(Entry* entry) override;
  void Replace(Entry* copy) override { resident_[copy->heat].queue.Replace(copy); }
  Entry* Evict() override;
  size_t bytes() const override;

 private:
  // Resident entries, used longest ago at the back.
  struct Resident {
    EntryQueue queue;
    uint64_t bytes = 0;
  };
  // Evicted ones: who they were, and what they weighed.
  struct Ghost {
    uint64_t hash;
    uint64_t bytes;
  };
  struct Evicted {
    std::list<Ghost> queue;
    std::unordered_map<uint64_t, std::list<Ghost>::iterator> by_hash;
    uint64_t bytes = 0;

    void PushFront(Ghost ghost);
    void PopBack();
    // What it weighed, 0 if it is none of these; it is forgotten.
    uint64_t Take(uint64_t hash);
  };
  enum Side : uint8_t { kOnce, kOften };  // an entry's heat: where it stands

  void Touch(Entry* entry, uint64_t hash) override;
  void Push(Entry* entry, Side side);
  bool WasGhost(uint64_t hash);
  void TrimGhosts(uint64_t incoming);

  const PolicyContext context_;
  Resident resident_[2];  // T1 and T2 of the paper
  Evicted evicted_[2];    // B1 and B2
  uint64_t target_ = 0;   // of T1: p
  uint64_t capacity_ = 0;
};

}  // namespace cistern::cache
