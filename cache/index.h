// Index: from hash and key to Entry, in buckets of one cache line.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/entry.h"
#include "cache/entry_copy.h"
#include "cache/index_segment.h"
#include "cache/memory/slabs.h"

namespace cistern::cache {

// Extendible hashing (Fagin, Nievergelt, Pippenger, Strong, 1979): the hash's top bits choose a
// segment by way of a directory, its low bits one of the segment's buckets. A segment begins with
// 42 buckets, grows to 51 and to 64, and then becomes two of 42. So the index is filled to 65 to 87
// % at any size, is never rebuilt as a whole, and no insertion moves more than kMostMoved entries.
//
// A bucket holds twelve references with a one-byte tag of the hash each. A full one overflows into
// the next one of its segment (the last into the first) and counts how many did, so that a search
// knows when to stop. Guarded by the shard's lock, but for the hints.
class Index {
 public:
  static constexpr size_t kMostMoved = 668;

  // Of all hashes the top `skipped_bits` are alike: they have chosen the shard. The arena of
  // `tables` holds the entries; `tables` holds the index, and outlives it.
  Index(Slabs& tables, int skipped_bits);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // nullptr if absent. Expired entries are found like others.
  Entry* Find(std::string_view key, uint64_t hash) const;
  // A copy of it, for whoever has no lock; to be believed only if the lock's version has not
  // changed meanwhile. nullptr: to be looked for under the lock, also where it stands in a
  // later bucket than its own.
  const Entry* Copy(std::string_view key, uint64_t hash, EntryCopy& copy) const;
  // REQUIRES: the key is absent. False: it is not kept, because thousands of keys have nearly the
  // same hash, which no keys have that were not made for it.
  bool Insert(Entry* entry, uint64_t hash);
  // REQUIRES: `entry` is in the index. Does not free it.
  void Remove(Entry* entry, uint64_t hash);
  // REQUIRES: `entry` is in the index. From now on `moved` stands for it.
  void Replace(Entry* entry, Entry* moved, uint64_t hash);

  // Where Find would begin to look; its line is on its way into the CPU's cache. A hint: may be
  // called without the lock.
  const void* Prefetch(uint64_t hash) const {
    const Segment segment = hint_.load(std::memory_order_acquire)->Of(hash);
    const Bucket* bucket = segment.buckets + segment.Home(hash);
    __builtin_prefetch(bucket);
    return bucket;
  }
  // Likewise for Insert and Remove, which write where a segment's size stands too.
  void PrefetchToWrite(uint64_t hash) const {
    Prefetch(hash);
    __builtin_prefetch(hint_.load(std::memory_order_acquire)->Of(hash).buckets, 1);
  }
  // The entry that Find would most likely look at, by its tag only, to be prefetched too. `place`
  // is what Prefetch said. A hint: may be called without the lock, and then name what is none any
  // more; EntryCopy::kMostBytes can be read there all the same.
  const Entry* Candidate(const void* place, uint64_t hash) const;

  // Calls visit(Entry*) for what belongs into the bucket at `*cursor` and moves it on; 0 after the
  // last one. `visit` may remove the entry that it is given, and no other. Between two calls the
  // index may change: what is there all the time is visited once at least, and seldom twice.
  template <class Visit>
  void VisitBucket(uint64_t* cursor, Visit visit);

  // Memory for the next directory may be made ready by whoever has the time, without the lock.
  // Otherwise the insertion that needs it does. 2^bits words.
  using Words = IndexDirectory::Words;
  static Words MakeWords(int bits) {
    return std::make_unique<std::atomic<uint64_t>[]>(size_t{1} << bits);
  }
  // Bits of what is wanted; 0: nothing.
  int WantedSpare() const;
  void TakeSpare(int bits, Words words);

  size_t size() const { return size_; }
  // Entries that insertions have moved, all together.
  uint64_t moved() const { return moved_; }
  // How many the insertion of a key of this hash would move.
  size_t MovedBy(uint64_t hash) const;
  size_t buckets() const { return buckets_; }
  size_t bytes() const { return buckets_ * sizeof(Bucket) + directory_bytes_; }

 private:
  using Bucket = IndexBucket;
  using Segment = IndexSegment;
  using Directory = IndexDirectory;

  Entry* At(Ref ref) const { return reinterpret_cast<Entry*>(arena_.At(ref)); }
  const Directory& directory() const { return *directories_.back(); }
  Segment NewSegment(uint32_t count, int depth);
  void FreeSegment(const Segment& segment);
  // Has `segment` stand for all hashes that begin as `hash` does, as far as its depth goes.
  void Publish(const Segment& segment, uint64_t hash);
  static void Place(const Segment& segment, Ref ref, uint64_t hash);
  // Of one bucket: their hashes are about to be reckoned, which misses the CPU's cache each time.
  void PrefetchEntries(const Segment& segment, uint32_t at) const;
  bool Grow(uint64_t hash);
  void Split(const Segment& full, uint64_t hash);
  void DoubleDirectory();

  const Arena& arena_;
  Slabs& slabs_;
  const int skipped_bits_;
  size_t size_ = 0;
  size_t buckets_ = 0;
  uint64_t moved_ = 0;
  size_t directory_bytes_ = 0;
  std::vector<std::unique_ptr<Directory>> directories_;  // the last one holds
  std::atomic<const Directory*> hint_;
  Words spare_;
  int spare_bits_ = 0;
};

template <class Visit>
void Index::VisitBucket(uint64_t* cursor, Visit visit) {
  // Above: the hash's bits that choose the segment. Below: how far it has come in the segment, as a
  // fraction, which stays right when the segment grows.
  const uint64_t prefix = *cursor & ~uint64_t{UINT32_MAX};
  const Segment segment = directory().At(prefix);
  const uint32_t home = segment.Home(*cursor);
  for (uint32_t at = home, seen = 0; seen < segment.count; at = segment.After(at), ++seen) {
    Bucket& bucket = segment.buckets[at];
    for (int slot = 0; slot < Bucket::kSlots; ++slot) {
      if (bucket.tags[slot] == 0) continue;
      Entry* entry = At(bucket.refs[slot]);
      if (segment.Home(entry->hash()) == home) visit(entry);
    }
    if (bucket.overflowed == 0) break;
  }
  if (home + 1 < segment.count) {
    *cursor = prefix | (((uint64_t{home} + 1) << 32) + segment.count - 1) / segment.count;
  } else {
    *cursor = segment.depth == 0 ? 0
                                 : (prefix >> (64 - segment.depth) << (64 - segment.depth)) +
                                       (uint64_t{1} << (64 - segment.depth));
  }
}

}  // namespace cistern::cache
