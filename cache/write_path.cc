#include "cache/write_path.h"

#include <algorithm>
#include <memory>

#include "cache/mutant.h"
#include "cache/owner_path.h"
#include "cache/recall.h"

namespace cistern::cache {

bool WritePath::CanKeep(const Group& group, std::string_view key, const BlobPtr& value) const {
  return value->bytes().size() <= group.config().max_value &&
         FitsAccount(context_.store.account(group.index()), key, value);
}

Error WritePath::TooLarge(const Group& group) const {
  const size_t largest = context_.store.account(group.index()).largest_entry();
  return errors::TooLarge(group.name(), std::min<size_t>(group.config().max_value, largest));
}

void WritePath::Begin(Shard& shard, const Group& group, Key key, Instant now, Recalls* recalls) {
  shard.DetachAll(key.bytes);
  if (group.config().hold_off > Duration(0)) shard.hold_off.Note(key.hash, now);
  std::vector<Holder> holders;
  const uint64_t sequence = shard.holders.StartNotice(key.bytes, now, &holders);
  for (const PeerStart& peer : context_.picker.Dissenters()) {
    const bool is_holder = std::any_of(holders.begin(), holders.end(), [&](const Holder& holder) {
      return holder.node == peer.node && holder.incarnation == peer.incarnation;
    });
    if (is_holder) continue;
    holders.push_back({.node = peer.node,
                       .incarnation = peer.incarnation,
                       .ends = LeaseEnd(now, peer.longest_lease)});
  }
  if (!holders.empty()) recalls->push_back({std::string(key.bytes), sequence, std::move(holders)});
}

Result<bool> WritePath::Invalidate(const Group& group, Key key, Recalls* recalls) {
  bool was_there = false;
  Shard& shard = context_.store.ShardOf(key.hash);
  const Instant now = context_.clock.Now();
  std::lock_guard lock(shard.mutex);
  if (!context_.Owns(key.bytes)) return tl::unexpected(NotOwner());
  if (Entry* entry = shard.entries.FindAny(key.bytes, key.hash)) {
    was_there =
        !entry->negative() && !entry->ExpiredAt(now) && !context_.store.marks().IsPast(*entry);
    shard.entries.Erase(entry);
  } else if (IsMutant(Mutant::kHoldersWithEntry)) {
    shard.holders.Forget(key.bytes);
  }
  Begin(shard, group, key, now, recalls);
  return was_there;
}

Result<bool> WritePath::Update(Group& group, Key key, Touches touches, const Decide& decide,
                               Recalls* recalls) {
  const GroupConfig& config = group.config();
  const bool takes_writes = config.writes != Writes::kReject;
  if (touches == Touches::kValue && !takes_writes) {
    return tl::unexpected(errors::NoWrite(config.name));
  }
  {
    Shard& shard = context_.store.ShardOf(key.hash);
    const Instant now = context_.clock.Now();
    std::lock_guard lock(shard.mutex);
    shard.entries.Expect(group.index(), key.hash);
    const Pick pick = context_.picker.Owner(key.bytes);
    if (!pick.is_self) return tl::unexpected(NotOwner());
    Entry* present = shard.entries.Find(key.bytes, key.hash, now);
    if (present != nullptr && present->negative()) present = nullptr;
    Change change = decide(present);
    if (change.kind == Change::Kind::kNone) return false;
    if (change.kind == Change::Kind::kLive && !takes_writes &&
        change.expires > present->expires()) {
      return false;
    }
    if (change.kind == Change::Kind::kTooLarge ||
        (change.kind == Change::Kind::kStore && !CanKeep(group, key.bytes, change.value))) {
      return tl::unexpected(TooLarge(group));
    }
    if (pick.disputed) change.expires = std::min(change.expires, now + config.hot_lease);
    if (change.expires <= now) change = Change::Erase();
    Apply(shard, group, key, std::move(change));
    if (!IsMutant(Mutant::kSetWithoutRecall)) Begin(shard, group, key, now, recalls);
  }
  context_.store.MakeRoom(group.index());
  return true;
}

void WritePath::Apply(Shard& shard, const Group& group, Key key, Change change) {
  const auto held = [&] { return shard.entries.FindAny(key.bytes, key.hash); };
  switch (change.kind) {
    case Change::Kind::kNone:
    case Change::Kind::kTooLarge:
      return;
    case Change::Kind::kStore:
      return shard.entries.Put({.key = key.bytes,
                                .hash = key.hash,
                                .group = group.index(),
                                .mark = context_.store.marks().Of(group.index(), Role::kMain),
                                .value = std::move(change.value),
                                .expires = change.expires,
                                .version = {}});
    case Change::Kind::kLive:
      return shard.entries.SetExpires(held(), change.expires);
    case Change::Kind::kErase:
      if (Entry* entry = held()) shard.entries.Erase(entry);
  }
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
