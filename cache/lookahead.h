// Lookahead: keys that will be read soon are brought into the CPU's cache, step by step.
#pragma once

#include <cstddef>
#include <span>

#include "cache/key.h"

namespace cistern::cache {

class Entry;
class Store;

// A key not read lately costs three misses of the CPU's cache, one behind the other: its bucket,
// its entry, and the head of its value if that is large. Each step sends for one of them, of all
// keys at once; whatever the thread does between two steps hides the way.
//
// All is a hint: needs no lock, and the store may change between the steps. Of one thread.
class Lookahead {
 public:
  // More would push out the first ones again.
  static constexpr size_t kMostKeys = 64;

  // The first kMostKeys of `keys`, which stay where they are until the last step.
  void ToBuckets(Store& store, std::span<const Key> keys);
  void ToEntries(Store& store);
  void ToBlobs(const Store& store);

  // All steps, for whoever has nothing to do between them.
  static void AtOnce(Store& store, std::span<const Key> keys);

 private:
  std::span<const Key> keys_;
  const void* buckets_[kMostKeys];
  const Entry* entries_[kMostKeys];  // null: likely absent
};

}  // namespace cistern::cache
