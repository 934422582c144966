// Cache::Find, the hit path: here so that each caller's visit is compiled into it. Included by
// cache/cache.h only.
#pragma once

#include "cache/cache.h"

namespace cistern::cache {

template <class Visit>
void Cache::Find(Executor& executor, std::span<const Key> keys, Instant now, Visit&& visit,
                 bool touches) {
  if (keys.size() > 1) store_.Prefetch(keys);
  const bool ask_owner = context_.owners_change.load(std::memory_order_relaxed);
  for (size_t i = 0; i < keys.size(); ++i) {
    const Key& key = keys[i];
    Shard& shard = store_.ShardOf(key.hash);
    uint16_t renew_group = 0;
    bool renew = false;
    {
      std::unique_lock lock(shard.mutex);
      Entry* entry = shard.entries.Find(key.bytes, key.hash, now);
      if (entry == nullptr || (ask_owner && IsLost(*entry))) {
        lock.unlock();
        visit(i, Found());
        continue;
      }
      if (entry->negative()) {
        visit(i, Found{Found::Kind::kNotFound, {}, nullptr});
      } else {
        visit(i, Found{Found::Kind::kValue, entry->value(), entry->blob()});
      }
      if (touches) shard.entries.Hit(entry);
      CountHit(executor, *entry);
      renew = entry->refresh_from() <= now && entry->ClaimRefresh();
      renew_group = entry->group();
    }
    if (renew) Renew(executor, renew_group, key);
  }
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
