#include "cache/write_path.h"

#include <algorithm>
#include <memory>

#include "cache/mutant.h"
#include "cache/owner_path.h"
#include "cache/recall.h"

namespace cistern::cache {

void WritePath::Begin(Shard& shard, std::string_view key, Instant now, Recalls* recalls) {
  shard.DetachAll(key);
  std::vector<Holder> holders;
  const uint64_t sequence = shard.holders.StartNotice(key, now, &holders);
  if (!holders.empty()) recalls->push_back({std::string(key), sequence, std::move(holders)});
}

int64_t WritePath::Invalidate(std::span<const std::string> keys, Recalls* recalls) {
  int64_t erased = 0;
  for (const std::string& key : keys) {
    const uint64_t hash = HashKey(key);
    Shard& shard = context_.store.ShardOf(hash);
    const Instant now = context_.clock.Now();
    std::lock_guard lock(shard.mutex);
    if (Entry* entry = shard.entries.FindAny(key, hash)) {
      const bool is_there = !entry->ExpiredAt(now) && !context_.store.marks().IsPast(*entry);
      if (is_there && !entry->negative()) ++erased;
      shard.entries.Erase(entry);
    } else if (IsMutant(Mutant::kHoldersWithEntry)) {
      shard.holders.Forget(key);
    }
    Begin(shard, key, now, recalls);
  }
  return erased;
}

Result<bool> WritePath::Set(Group& group, const SetRequest& request, Recalls* recalls) {
  const GroupConfig& config = group.config();
  const Account& account = context_.store.account(group.index());
  const size_t limit = std::min<size_t>(config.max_value, account.largest_entry());
  if (request.value->bytes().size() > config.max_value ||
      !FitsAccount(account, request.key, request.value)) {
    return tl::unexpected(errors::TooLarge(config.name, limit));
  }
  const uint64_t hash = HashKey(request.key);
  const Duration ttl = request.ttl.value_or(config.ttl);
  {
    Shard& shard = context_.store.ShardOf(hash);
    const Instant now = context_.clock.Now();
    std::lock_guard lock(shard.mutex);
    const Entry* entry = shard.entries.Find(request.key, hash, now);
    const bool present = entry != nullptr && !entry->negative();
    if (request.condition != SetCondition::kAlways &&
        present != (request.condition == SetCondition::kIfPresent)) {
      return false;
    }
    shard.entries.Put({.key = request.key,
                       .hash = hash,
                       .group = group.index(),
                       .mark = context_.store.marks().Of(group.index(), Role::kMain),
                       .value = request.value,
                       .expires = ttl > Duration(0) ? now + ttl : kNever,
                       .version = {}});
    if (!IsMutant(Mutant::kSetWithoutRecall)) Begin(shard, request.key, now, recalls);
  }
  context_.store.MakeRoom(group.index());
  return true;
}

void WritePath::Confirm(Executor& executor, Recalls recalls, std::function<void()> confirmed) {
  if (recalls.empty()) return confirmed();
  auto left = std::make_shared<size_t>(recalls.size());
  auto all = std::make_shared<std::function<void()>>(std::move(confirmed));
  for (Recalled& recalled : recalls) {
    Recall::Start(context_, executor, std::move(recalled), [left, all] {
      if (--*left == 0) (*all)();
    });
  }
}

}  // namespace cistern::cache
