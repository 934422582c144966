// Cache::Find, the hit path: here so that each caller's visit is compiled into it. Included by
// cache/cache.h only.
#pragma once

#include "cache/cache.h"

namespace cistern::cache {

template <class Visit>
void Cache::Find(Executor& executor, std::span<const Key> keys, Instant now, Visit&& visit,
                 bool touches) {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i % Lookahead::kMostKeys == 0 && keys.size() > 1)
      Lookahead::AtOnce(store_, keys.subspan(i));
    const auto visit_one = [&](const Found& found) { visit(i, found); };
    if (!FindOne(executor, keys[i], now, visit_one, touches)) visit(i, Found());
  }
}

template <class Visit>
bool Cache::FindOne(Executor& executor, const Key& key, Instant now, Visit&& visit, bool touches) {
  Shard& shard = store_.ShardOf(key.hash);
  EntryCopy copy;
  if (const Entry* entry = Peek(shard, key, now, touches, copy)) {
    visit(FoundIn(*entry));
    CountHit(executor, *entry);
    return true;
  }
  std::unique_lock lock(shard.mutex);
  Entry* entry = shard.entries.Find(key.bytes, key.hash, now);
  if (entry == nullptr) return false;
  if (context_.owners_change.load(std::memory_order_relaxed) && IsLost(*entry)) return false;
  visit(FoundIn(*entry));
  if (touches) shard.entries.Hit(entry, key.hash);
  CountHit(executor, *entry);
  const bool renew = entry->refresh_from() <= now && entry->ClaimRefresh();
  const uint16_t group = entry->group();
  lock.unlock();
  if (renew) Renew(executor, group, key);
  return true;
}

// Most hits change nothing: they need no lock, and several workers may have the same one at once.
// Whatever is not as simple as that is left to those who hold it.
inline const Entry* Cache::Peek(const Shard& shard, const Key& key, Instant now, bool touches,
                                EntryCopy& copy) {
  const uint64_t version = shard.mutex.version();
  if (version % 2 != 0) return nullptr;
  const Entry* entry = shard.entries.Copy(key.bytes, key.hash, copy);
  const bool may_be_lost = context_.owners_change.load(std::memory_order_relaxed);
  if (entry == nullptr || !shard.mutex.IsStill(version)) return nullptr;
  return !may_be_lost && shard.entries.Answers(*entry, key.hash, now, touches) ? entry : nullptr;
}

inline Found Cache::FoundIn(const Entry& entry) {
  if (entry.negative()) return {Found::Kind::kNotFound, {}, nullptr};
  return {Found::Kind::kValue, entry.value(), entry.blob()};
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
