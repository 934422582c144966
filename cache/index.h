// Index: from hash and key to Entry, in buckets of one cache line.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "cache/entry.h"

namespace cistern::cache {

// Seven references a bucket, each with a one-byte tag of the hash; a full bucket overflows into the
// next one and counts how many did, so that a search knows when to stop (the layout of Valkey 8.1's
// and F14's tables, with linear probing). Guarded by the shard's lock, but for Prefetch().
class Index {
 public:
  Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // nullptr if absent. Expired entries are found like others.
  Entry* Find(std::string_view key, uint64_t hash) const;
  // REQUIRES: the key is absent. Doubles the table when it is 3/4 full.
  void Insert(Entry* entry);
  // REQUIRES: `entry` is in the index. Does not free it.
  void Remove(Entry* entry);

  // Brings the bucket's line into the CPU's cache. A hint: may be called without the lock.
  void Prefetch(uint64_t hash) const {
    const Bucket* buckets = hint_buckets_.load(std::memory_order_relaxed);
    __builtin_prefetch(buckets + (hash & hint_mask_.load(std::memory_order_relaxed)));
  }
  // The entry that Find would most likely look at: by tag only, to be prefetched. May be wrong.
  const Entry* Candidate(uint64_t hash) const;

  // Calls visit(Entry*) for what stands in the bucket at `*cursor` and moves it to the next one;
  // wraps to 0 after the last. `visit` may remove the entry that it is given, and no other.
  template <class Visit>
  void VisitBucket(size_t* cursor, Visit visit) {
    Bucket& bucket = buckets_[*cursor & mask_];
    for (int i = 0; i < kSlots; ++i) {
      if (bucket.tags[i] != 0) visit(bucket.slots[i]);
    }
    *cursor = (*cursor + 1) & mask_;
  }

  size_t size() const { return size_; }
  size_t buckets() const { return mask_ + 1; }
  size_t bytes() const { return buckets() * sizeof(Bucket); }

 private:
  static constexpr int kSlots = 7;
  struct alignas(64) Bucket {
    uint8_t tags[kSlots] = {};  // 0: free
    uint8_t overflowed = 0;  // entries of this or earlier buckets that stand further on; 255 sticks
    Entry* slots[kSlots] = {};
  };
  static_assert(sizeof(Bucket) == 64);

  static uint8_t Tag(uint64_t hash) {
    const auto tag = static_cast<uint8_t>(hash >> 32);
    return tag == 0 ? 1 : tag;
  }
  static uint32_t Matches(const Bucket& bucket, uint8_t tag);
  void Place(Entry* entry);
  void Grow();

  std::unique_ptr<Bucket[]> buckets_;
  size_t mask_;
  size_t size_ = 0;
  std::atomic<const Bucket*> hint_buckets_;
  std::atomic<size_t> hint_mask_;
};

}  // namespace cistern::cache
