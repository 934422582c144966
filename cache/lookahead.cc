#include "cache/lookahead.h"

#include <algorithm>

#include "cache/store.h"

namespace cistern::cache {

void Lookahead::ToBuckets(Store& store, std::span<const Key> keys) {
  keys_ = keys.first(std::min(keys.size(), kMostKeys));
  for (size_t i = 0; i < keys_.size(); ++i)
    buckets_[i] = store.ShardOf(keys_[i].hash).entries.Prefetch(keys_[i].hash);
}

void Lookahead::ToEntries(Store& store) {
  for (size_t i = 0; i < keys_.size(); ++i) {
    const uint64_t hash = keys_[i].hash;
    entries_[i] = store.ShardOf(hash).entries.Candidate(buckets_[i], hash);
    if (entries_[i] != nullptr) entries_[i]->Prefetch();
  }
}

void Lookahead::ToBlobs(const Store& store) {
  if (store.used(ChargeKind::kValues) == 0) return;
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (entries_[i] != nullptr) entries_[i]->PrefetchBlob();
  }
}

void Lookahead::AtOnce(Store& store, std::span<const Key> keys) {
  Lookahead ahead;
  ahead.ToBuckets(store, keys);
  ahead.ToEntries(store);
  ahead.ToBlobs(store);
}

}  // namespace cistern::cache
