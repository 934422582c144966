#include "cache/write_path.h"

#include <algorithm>

#include "cache/owner_path.h"
#include "cache/recall.h"

namespace cistern::cache {

struct WritePath::Change {
  uint64_t sequence = 0;
  std::vector<Holder> holders;

  // Under the shard's lock, together with the change of the entry.
  void Begin(Shard& shard, std::string_view key, Instant now) {
    shard.DetachAll(key);
    sequence = shard.holders.StartNotice(key, now, &holders);
  }
};

void WritePath::Invalidate(Executor& executor, std::vector<std::string> keys,
                           CompletionPtr<Result<int64_t>> done) {
  struct Batch {
    size_t left;
    int64_t erased = 0;
    CompletionPtr<Result<int64_t>> done;
  };
  auto batch = std::make_shared<Batch>(Batch{keys.size(), 0, std::move(done)});
  if (keys.empty()) return batch->done->Done(0);
  for (std::string& key : keys) {
    const uint64_t hash = HashKey(key);
    Change change;
    Shard& shard = context_.store.ShardOf(hash);
    {
      const Instant now = context_.clock.Now();
      std::lock_guard lock(shard.mutex);
      if (Entry* entry = shard.entries.FindAny(key, hash)) {
        if (!entry->negative() && !entry->ExpiredAt(now)) ++batch->erased;
        shard.entries.Erase(entry);
      }
      change.Begin(shard, key, now);
    }
    Recall::Start(context_, executor, std::move(key), change.sequence, std::move(change.holders),
                  [batch] {
                    if (--batch->left == 0) batch->done->Done(batch->erased);
                  });
  }
}

void WritePath::Set(Executor& executor, Group& group, SetRequest request,
                    CompletionPtr<Result<bool>> done) {
  const GroupConfig& config = group.config();
  const Account& account = context_.store.account(group.index());
  const size_t limit = std::min<size_t>(config.max_value, account.largest_entry());
  if (request.value->bytes().size() > config.max_value ||
      !FitsAccount(account, request.key, request.value)) {
    return done->Done(tl::unexpected(errors::TooLarge(config.name, limit)));
  }
  const uint64_t hash = HashKey(request.key);
  const Duration ttl = request.ttl.value_or(config.ttl);
  Change change;
  Shard& shard = context_.store.ShardOf(hash);
  {
    const Instant now = context_.clock.Now();
    std::lock_guard lock(shard.mutex);
    const Entry* entry = shard.entries.Find(request.key, hash, now);
    const bool present = entry != nullptr && !entry->negative();
    if (request.condition != SetCondition::kAlways &&
        present != (request.condition == SetCondition::kIfPresent)) {
      return done->Done(false);
    }
    shard.entries.Put({.key = request.key,
                       .hash = hash,
                       .group = group.index(),
                       .value = request.value,
                       .expires = ttl > Duration(0) ? now + ttl : kNever,
                       .version = {}});
    change.Begin(shard, request.key, now);
  }
  context_.store.MakeRoom(group.index());
  Recall::Start(context_, executor, std::move(request.key), change.sequence,
                std::move(change.holders), [done] { done->Done(true); });
}

}  // namespace cistern::cache
