// Cache::Find, the hit path: here so that each caller's visit is compiled into it. Included by
// cache/cache.h only.
#pragma once

#include "cache/cache.h"

namespace cistern::cache {

template <class Visit>
void Cache::Find(Executor& executor, std::span<const Key> keys, Instant now, Visit&& visit,
                 bool touches) {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i % Store::kPrefetched == 0 && keys.size() > 1) store_.Prefetch(keys.subspan(i));
    const auto visit_one = [&](const Found& found) { visit(i, found); };
    if (!FindOne(executor, keys[i], now, visit_one, touches)) visit(i, Found());
  }
}

template <class Visit>
bool Cache::FindOne(Executor& executor, const Key& key, Instant now, Visit&& visit, bool touches) {
  Shard& shard = store_.ShardOf(key.hash);
  std::unique_lock lock(shard.mutex);
  Entry* entry = shard.entries.Find(key.bytes, key.hash, now);
  if (entry == nullptr) return false;
  if (context_.owners_change.load(std::memory_order_relaxed) && IsLost(*entry)) return false;
  if (entry->negative()) {
    visit(Found{Found::Kind::kNotFound, {}, nullptr});
  } else {
    visit(Found{Found::Kind::kValue, entry->value(), entry->blob()});
  }
  if (touches) shard.entries.Hit(entry, key.hash);
  CountHit(executor, *entry);
  const bool renew = entry->refresh_from() <= now && entry->ClaimRefresh();
  const uint16_t group = entry->group();
  lock.unlock();
  if (renew) Renew(executor, group, key);
  return true;
}

inline void Cache::CountHit(Executor& executor, const Entry& entry) {
  GroupStats& stats = groups_[entry.group()]->stats(executor.index());
  stats.gets.Add();
  if (entry.negative()) {
    stats.hits_negative.Add();
  } else {
    (entry.role() == Role::kMain ? stats.hits_main : stats.hits_hot).Add();
  }
}

}  // namespace cistern::cache
