// How an Index lies in memory: buckets, segments of buckets, a directory of segments.
#pragma once

#include <emmintrin.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "cache/memory/arena.h"

namespace cistern::cache {

// One cache line.
struct alignas(64) IndexBucket {
  static constexpr int kSlots = 12;

  uint8_t tags[kSlots] = {};  // 0: free
  uint8_t overflowed = 0;  // entries of this or earlier buckets that stand further on; 255 sticks
  uint8_t unused = 0;
  uint16_t size = 0;  // entries of the segment: in its first bucket only
  Ref refs[kSlots] = {};

  __attribute__((always_inline)) static uint8_t Tag(uint64_t hash) {
    const auto tag = static_cast<uint8_t>(hash >> 32);
    return tag == 0 ? 1 : tag;
  }
  // A bit for each slot of that tag. Inline always: so that who reads without the lock can say that
  // ThreadSanitizer is not to look.
  __attribute__((always_inline)) uint32_t Matches(uint8_t tag) const {
    const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(tags));
    const __m128i equal = _mm_cmpeq_epi8(all, _mm_set1_epi8(static_cast<char>(tag)));
    return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & ((1U << kSlots) - 1);
  }
};
static_assert(sizeof(IndexBucket) == 64);

// A segment in one word, so that whoever has no lock reads what belongs together.
struct IndexSegment {
  IndexBucket* buckets;
  uint32_t count;  // of buckets
  int depth;       // of its hashes so many top bits are alike, after those that are skipped

  static IndexSegment FromWord(uint64_t word) {
    const uint64_t address = word & ((uint64_t{1} << 48) - 1);
    return {reinterpret_cast<IndexBucket*>(address),  // NOLINT(performance-no-int-to-ptr): packed
            static_cast<uint32_t>(word >> 56), static_cast<int>(word >> 48 & 0xff)};
  }
  uint64_t ToWord() const {
    return reinterpret_cast<uint64_t>(buckets) | static_cast<uint64_t>(depth) << 48 |
           uint64_t{count} << 56;
  }
  // The bucket where a search begins. (Lemire's range reduction.)
  uint32_t Home(uint64_t hash) const {
    return static_cast<uint32_t>((hash & UINT32_MAX) * count >> 32);
  }
  uint32_t After(uint32_t bucket) const { return bucket + 1 == count ? 0 : bucket + 1; }
  // Calls is_it(Ref) for each entry whose hash it may be, until it returns true. Ends, whatever
  // stands in the buckets.
  template <class IsIt>
  __attribute__((always_inline)) void Search(uint64_t hash, IsIt is_it) const {
    const uint8_t tag = IndexBucket::Tag(hash);
    for (uint32_t at = Home(hash), seen = 0; seen < count; at = After(at), ++seen) {
      const IndexBucket& bucket = buckets[at];
      for (uint32_t hits = bucket.Matches(tag); hits != 0; hits &= hits - 1) {
        if (is_it(bucket.refs[__builtin_ctz(hits)])) return;
      }
      if (bucket.overflowed == 0) return;
    }
  }
};

// Segments by the hashes' top bits. Replaced by one of twice its size when a segment needs more
// bits; the old ones stay for those who read without the lock, and are no larger together.
struct IndexDirectory {
  using Words = std::unique_ptr<std::atomic<uint64_t>[]>;

  IndexDirectory(int of_depth, int skipped, Words of_words)
      : depth(of_depth), skipped_bits(skipped), words(std::move(of_words)) {}
  // REQUIRES: the bits that are skipped have been shifted out of `prefix`.
  size_t IndexOf(uint64_t prefix) const { return prefix >> 1 >> (63 - depth); }
  IndexSegment At(uint64_t prefix) const {
    return IndexSegment::FromWord(words[IndexOf(prefix)].load(std::memory_order_acquire));
  }
  IndexSegment Of(uint64_t hash) const { return At(hash << skipped_bits); }

  const int depth;
  const int skipped_bits;
  const Words words;
};

}  // namespace cistern::cache
