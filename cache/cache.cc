#include "cache/cache.h"

#include <algorithm>

namespace cistern::cache {
namespace {

constexpr Duration kReclaimPeriod = std::chrono::milliseconds(10);

std::vector<std::unique_ptr<Group>> MakeGroups(std::vector<GroupSpec> specs, size_t workers) {
  std::vector<std::unique_ptr<Group>> groups;
  for (GroupSpec& spec : specs) {
    groups.push_back(std::make_unique<Group>(static_cast<uint16_t>(groups.size()),
                                             std::move(spec.config), std::move(spec.origin),
                                             std::move(spec.on_health), static_cast<int>(workers)));
  }
  return groups;
}

std::vector<const GroupConfig*> Configs(const std::vector<std::unique_ptr<Group>>& groups) {
  std::vector<const GroupConfig*> configs;
  for (const auto& group : groups)
    configs.push_back(&group->config());
  return configs;
}

std::vector<std::minstd_rand> Generators(size_t count) {
  std::random_device seed;
  std::vector<std::minstd_rand> generators;
  for (size_t i = 0; i < count; ++i)
    generators.emplace_back(seed());
  return generators;
}

}  // namespace

Cache::Cache(const Store::Options& options, std::vector<GroupSpec> groups,
             std::span<Executor* const> executors, PeerPicker& picker, const Clock& clock)
    : groups_(MakeGroups(std::move(groups), executors.size())),
      store_(options, Configs(groups_)),
      context_{groups_, store_, picker, clock, Generators(executors.size())},
      owner_path_(context_),
      forward_path_(context_),
      write_path_(context_),
      purge_path_(context_),
      ownership_(context_),
      executors_(executors.begin(), executors.end()),
      started_(clock.Now()) {
  // Of what the last start has invalidated nothing is known.
  store_.HoldOffAll(started_);
  for (const auto& group : groups_)
    by_prefix_.push_back(group.get());
  std::sort(by_prefix_.begin(), by_prefix_.end(), [](const Group* a, const Group* b) {
    return a->config().prefix.size() > b->config().prefix.size();
  });
}

void Cache::HonourLeases(Duration longest) {
  store_.grace().Extend(LeaseEnd(started_, longest));
}

void Cache::Start() {
  for (Executor* executor : executors_) {
    executor->Post([this, executor] { ReclaimAgain(*executor); });
  }
}

void Cache::ReclaimAgain(Executor& executor) {
  if (stopping_.load(std::memory_order_relaxed)) return;
  store_.Reclaim(executor.index(), static_cast<int>(executors_.size()), context_.clock);
  executor.After(kReclaimPeriod, [this, &executor] { ReclaimAgain(executor); });
}

void Cache::Shutdown() {
  stopping_.store(true);
  for (size_t i = 0; i < store_.shards(); ++i) {
    Waiters waiters;
    {
      Shard& shard = store_.shard(i);
      std::lock_guard lock(shard.mutex);
      waiters = shard.TakeWaiters();
    }
    for (const Waiter& waiter : waiters)
      waiter.Fail(errors::Shutdown());
  }
}

Group* Cache::GroupOf(std::string_view key) const {
  for (Group* group : by_prefix_) {
    if (key.starts_with(group->config().prefix)) return group;
  }
  return nullptr;
}

void Cache::Renew(Executor& executor, uint16_t group, Key key) {
  if (stopping_.load(std::memory_order_relaxed)) return;
  forward_path_.Renew(executor, *groups_[group], key);
}

void Cache::Get(Executor& executor, Key key, Instant deadline, CompletionPtr<Result<Answer>> done) {
  Group* group = GroupOf(key.bytes);
  if (group == nullptr) return done->Done(tl::unexpected(errors::NoGroup(key.bytes)));
  if (stopping_.load()) return done->Done(tl::unexpected(errors::Shutdown()));
  Waiter waiter;
  waiter.client = std::move(done);
  std::optional<GetOutcome> outcome;
  if (context_.Owns(key.bytes)) outcome = owner_path_.Get(executor, *group, key, waiter);
  if (!outcome) outcome = forward_path_.Get(executor, *group, key, deadline, std::move(waiter));
  CountOutcome(executor, *group, *outcome);
}

void Cache::CountOutcome(Executor& executor, Group& group, GetOutcome outcome) {
  GroupStats& stats = group.stats(executor.index());
  stats.gets.Add();
  switch (outcome) {
    case GetOutcome::kHit:
      return stats.hits_main.Add();
    case GetOutcome::kNegative:
      return stats.hits_negative.Add();
    case GetOutcome::kHotHit:
      return stats.hits_hot.Add();
    case GetOutcome::kLoad:
      return stats.loads.Add();
    case GetOutcome::kRefused:
      return stats.refused.Add();
  }
}

void Cache::Delete(Executor& executor, std::vector<std::string> keys,
                   CompletionPtr<Result<int64_t>> done) {
  struct Parts {
    size_t left = 0;
    Result<int64_t> sum = 0;
    CompletionPtr<Result<int64_t>> done;
  };
  std::vector<std::pair<Pick, std::vector<std::string>>> by_owner;
  for (std::string& key : keys) {
    if (GroupOf(key) == nullptr) return done->Done(tl::unexpected(errors::NoGroup(key)));
    const Pick pick = context_.picker.Owner(key);
    auto at = std::find_if(by_owner.begin(), by_owner.end(),
                           [&](const auto& part) { return part.first.node == pick.node; });
    if (at == by_owner.end()) at = by_owner.insert(at, {pick, {}});
    at->second.push_back(std::move(key));
  }
  if (by_owner.empty()) return done->Done(0);
  auto parts = std::make_shared<Parts>();
  parts->left = by_owner.size();
  parts->done = std::move(done);
  for (auto& [pick, part] : by_owner) {
    auto part_done = Completion<Result<int64_t>>::Make(executor, [parts](Result<int64_t> result) {
      if (!result) {
        parts->sum = std::move(result);
      } else if (parts->sum) {
        *parts->sum += *result;
      }
      if (--parts->left == 0) parts->done->Done(std::move(parts->sum));
    });
    if (pick.is_self) {
      Recalls recalls;
      const Result<int64_t> erased = InvalidateHere(executor, part, &recalls);
      Confirm(executor, std::move(recalls), [part_done, erased] { part_done->Done(erased); });
    } else {
      context_.picker.Invalidate(executor, pick.node, std::move(part), std::move(part_done));
    }
  }
}

bool Cache::OwnsAll(std::span<const std::string> keys) const {
  return std::all_of(keys.begin(), keys.end(),
                     [this](const std::string& key) { return context_.picker.Owner(key).is_self; });
}

std::optional<Error> Cache::Leaving() const {
  if (!context_.leaving.load()) return std::nullopt;
  return errors::Leaving(context_.picker.SelfName());
}

Result<int64_t> Cache::InvalidateHere(Executor& executor, std::span<const std::string> keys,
                                      Recalls* recalls) {
  if (auto leaving = Leaving()) return tl::unexpected(std::move(*leaving));
  for (const std::string& key : keys) {
    if (GroupOf(key) == nullptr) return tl::unexpected(errors::NoGroup(key));
  }
  if (!OwnsAll(keys)) return tl::unexpected(errors::NotOwner(context_.picker.SelfName()));
  int64_t erased = 0;
  for (const std::string& key : keys) {
    Group& group = *GroupOf(key);
    group.stats(executor.index()).invalidations.Add();
    const Result<bool> was_there = write_path_.Invalidate(group, Key::Of(key), recalls);
    if (!was_there) return tl::unexpected(was_there.error());
    if (*was_there) ++erased;
  }
  return erased;
}

Result<Group*> Cache::GroupHere(std::string_view key) const {
  Group* group = GroupOf(key);
  if (group == nullptr) return tl::unexpected(errors::NoGroup(key));
  if (context_.picker.Owner(key).is_self) return group;
  return tl::unexpected(errors::NotOwner(context_.picker.SelfName()));
}

Result<bool> Cache::UpdateHere(Executor& executor, Key key, Touches touches, const Decide& decide,
                               Recalls* recalls) {
  if (auto leaving = Leaving()) return tl::unexpected(std::move(*leaving));
  Group* group = GroupOf(key.bytes);  // whose key it is Update() asks under the lock
  if (group == nullptr) return tl::unexpected(errors::NoGroup(key.bytes));
  Result<bool> changed = write_path_.Update(*group, key, touches, decide, recalls);
  if (changed && *changed) group->stats(executor.index()).invalidations.Add();
  return changed;
}

Result<std::optional<Instant>> Cache::EndHere(Key key) const {
  if (const auto group = GroupHere(key.bytes); !group) return tl::unexpected(group.error());
  Shard& shard = const_cast<Store&>(store_).ShardOf(key.hash);
  const Instant now = context_.clock.Now();
  std::lock_guard lock(shard.mutex);
  const Entry* entry = shard.entries.Find(key.bytes, key.hash, now);
  if (entry == nullptr || entry->negative()) return std::nullopt;
  return entry->expires();
}

bool Cache::FindForPeer(Executor& executor, const PeerGet& get, Key key, Instant now,
                        const TakeReply& take) {
  Group* group = GroupOf(get.key);
  if (group == nullptr || stopping_.load(std::memory_order_relaxed)) return false;
  const Pick pick = context_.picker.Owner(get.key);
  if (!pick.is_self) return false;
  Waiter peer;
  peer.node = get.node;
  peer.incarnation = get.incarnation;
  peer.wish = get.epoch == pick.epoch ? get.wish : Wish::kNone;
  if (!owner_path_.Find(*group, key, now, peer, take)) return false;
  group->stats(executor.index()).server_requests.Add();
  return true;
}

void Cache::ServePeer(Executor& executor, const PeerGet& get,
                      CompletionPtr<Result<PeerReply>> done) {
  Group* group = GroupOf(get.key);
  if (group == nullptr) return done->Done(tl::unexpected(errors::NoGroup(get.key)));
  if (stopping_.load()) return done->Done(tl::unexpected(errors::Shutdown()));
  group->stats(executor.index()).server_requests.Add();
  Waiter waiter;
  waiter.peer = std::move(done);
  waiter.node = get.node;
  waiter.incarnation = get.incarnation;
  const Pick pick = context_.picker.Owner(get.key);
  waiter.wish = get.epoch == pick.epoch ? get.wish : Wish::kNone;
  const Key key = Key::Of(get.key);
  if (pick.is_self && owner_path_.Get(executor, *group, key, waiter)) return;
  if (group->config().has_backend) {
    forward_path_.GetFromBackend(executor, *group, key, get.deadline, std::move(waiter));
  } else {
    waiter.Fail(errors::NotOwner(context_.picker.SelfName()));
  }
}

void Cache::DropCopies(const Notice& notice) {
  const uint64_t hash = HashKey(notice.key);
  Shard& shard = store_.ShardOf(hash);
  std::lock_guard lock(shard.mutex);
  if (Entry* entry = shard.entries.FindAny(notice.key, hash)) shard.entries.Erase(entry);
  shard.DetachAll(notice.key);
  // This node may be about to own it.
  shard.hold_off.Note(hash, context_.clock.Now());
}

size_t Cache::LoadsInFlight() {
  size_t sum = 0;
  for (const auto& group : groups_)
    sum += group->loads_in_flight();
  return sum;
}

}  // namespace cistern::cache
