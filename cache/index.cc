#include "cache/index.h"

#include <emmintrin.h>

#include <cassert>

namespace cistern::cache {
namespace {

constexpr size_t kFirstBuckets = 8;
constexpr uint8_t kStuck = 255;

}  // namespace

Index::Index()
    : buckets_(std::make_unique<Bucket[]>(kFirstBuckets)),
      mask_(kFirstBuckets - 1),
      hint_buckets_(buckets_.get()),
      hint_mask_(mask_) {}

uint32_t Index::Matches(const Bucket& bucket, uint8_t tag) {
  const __m128i tags = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bucket.tags));
  const __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)));
  return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & ((1U << kSlots) - 1);
}

Entry* Index::Find(std::string_view key, uint64_t hash) const {
  const uint8_t tag = Tag(hash);
  for (size_t at = hash & mask_, seen = 0; seen <= mask_; at = (at + 1) & mask_, ++seen) {
    const Bucket& bucket = buckets_[at];
    for (uint32_t hits = Matches(bucket, tag); hits != 0; hits &= hits - 1) {
      Entry* entry = bucket.slots[__builtin_ctz(hits)];
      entry->Prefetch();
      if (entry->hash() == hash && entry->key() == key) return entry;
    }
    if (bucket.overflowed == 0) return nullptr;
  }
  return nullptr;
}

const Entry* Index::Candidate(uint64_t hash) const {
  const Bucket& bucket = buckets_[hash & mask_];
  const uint32_t hits = Matches(bucket, Tag(hash));
  return hits == 0 ? nullptr : bucket.slots[__builtin_ctz(hits)];
}

void Index::Insert(Entry* entry) {
  if ((size_ + 1) * 4 > buckets() * kSlots * 3) Grow();
  Place(entry);
  ++size_;
}

void Index::Place(Entry* entry) {
  for (size_t at = entry->hash() & mask_;; at = (at + 1) & mask_) {
    Bucket& bucket = buckets_[at];
    const uint32_t free = Matches(bucket, 0);
    if (free != 0) {
      const int slot = __builtin_ctz(free);
      bucket.tags[slot] = Tag(entry->hash());
      bucket.slots[slot] = entry;
      return;
    }
    if (bucket.overflowed != kStuck) ++bucket.overflowed;
  }
}

void Index::Remove(Entry* entry) {
  const uint8_t tag = Tag(entry->hash());
  for (size_t at = entry->hash() & mask_;; at = (at + 1) & mask_) {
    Bucket& bucket = buckets_[at];
    for (uint32_t hits = Matches(bucket, tag); hits != 0; hits &= hits - 1) {
      const int slot = __builtin_ctz(hits);
      if (bucket.slots[slot] != entry) continue;
      bucket.tags[slot] = 0;
      bucket.slots[slot] = nullptr;
      --size_;
      return;
    }
    assert(bucket.overflowed > 0);
    if (bucket.overflowed != kStuck) --bucket.overflowed;
  }
}

void Index::Grow() {
  auto old = std::move(buckets_);
  const size_t old_count = mask_ + 1;
  buckets_ = std::make_unique<Bucket[]>(old_count * 2);
  mask_ = old_count * 2 - 1;
  for (size_t i = 0; i < old_count; ++i) {
    for (int slot = 0; slot < kSlots; ++slot) {
      if (old[i].tags[slot] != 0) Place(old[i].slots[slot]);
    }
  }
  hint_buckets_.store(buckets_.get(), std::memory_order_relaxed);
  hint_mask_.store(mask_, std::memory_order_relaxed);
}

}  // namespace cistern::cache
