#include "cache/forward_path.h"

#include <algorithm>

#include "cache/owner_path.h"

namespace cistern::cache {
namespace {

constexpr uint64_t kRequestBytes = sizeof(Request) + 160;  // with its table's node and the link's
constexpr Duration kRenewalTime = std::chrono::seconds(1);

}  // namespace

std::shared_ptr<PeerFetch> Outgoing::HandOver(ForwardPath& path, Executor& executor) {
  path_ = &path;
  executor_ = &executor;
  return {request_.shared_from_this(), this};
}

std::string_view Outgoing::key() const {
  return request_.key;
}

Wish Outgoing::wish() const {
  return request_.wish;
}

Instant Outgoing::deadline() const {
  return request_.deadline;
}

bool Outgoing::OnSending(Instant sent) {
  return path_->OnSending(*executor_, ForwardPath::Target::kPeer, request_, sent);
}

void Outgoing::OnReply(Result<PeerReply> reply) {
  path_->OnReply(*executor_, ForwardPath::Target::kPeer, request_, std::move(reply));
}

ForwardTable& ForwardPath::Table(Shard& shard, Target target) {
  switch (target) {
    case Target::kPeer:
      return shard.to_peer;
    case Target::kBackend:
      return shard.to_backend;
    case Target::kDegraded:
      break;
  }
  return shard.degraded;
}

GetOutcome ForwardPath::Get(Executor& executor, Group& group, Key key, Instant deadline,
                            Waiter waiter) {
  return Wait(executor, Target::kPeer, group, key, deadline, std::move(waiter));
}

GetOutcome ForwardPath::GetFromBackend(Executor& executor, Group& group, Key key, Instant deadline,
                                       Waiter waiter) {
  waiter.source = Source::kNotOwner;
  return Wait(executor, Target::kBackend, group, key, deadline, std::move(waiter));
}

GetOutcome ForwardPath::Wait(Executor& executor, Target target, Group& group, Key key,
                             Instant deadline, Waiter waiter) {
  if (!group.TryWait()) {
    waiter.Fail(errors::TooManyWaiters(group.name(), group.config().max_waiters));
    return GetOutcome::kRefused;
  }
  Waiters one;
  one.push_back(std::move(waiter));
  return Enter(executor, target, group, key, deadline, std::move(one));
}

GetOutcome ForwardPath::Enter(Executor& executor, Target target, Group& group, Key key,
                              Instant deadline, Waiters waiters) {
  Entered entered;
  {
    Shard& shard = context_.store.ShardOf(key.hash);
    std::lock_guard lock(shard.mutex);
    Entry* entry = shard.entries.Find(key.bytes, key.hash, context_.clock.Now());
    // A copy answers this node's own clients only.
    if (entry != nullptr && entry->role() == Role::kHot && target != Target::kBackend) {
      shard.entries.Hit(entry, key.hash);
      entered.copy = LoadedFrom(*entry);
    } else {
      entered = Enqueue(executor, shard, target, group, key, deadline, &waiters);
    }
  }
  if (!entered.copy && !entered.refused) {
    Go(executor, target, entered);
    return GetOutcome::kLoad;
  }
  group.EndWaits(static_cast<uint32_t>(waiters.size()));
  for (const Waiter& waiter : waiters) {
    if (entered.refused) {
      waiter.Fail(*entered.refused);
    } else {
      waiter.Finish(*entered.copy, Lease(), Duration(0));
    }
  }
  if (entered.refused) return GetOutcome::kRefused;
  return entered.copy->value ? GetOutcome::kHotHit : GetOutcome::kNegative;
}

ForwardPath::Entered ForwardPath::Enqueue(Executor& executor, Shard& shard, Target target,
                                          Group& group, Key key, Instant deadline,
                                          Waiters* waiters) {
  Entered entered;
  ForwardTable& table = Table(shard, target);
  const RequestPtr request = table.Join(key.bytes, key.hash, group);
  const bool made = request->charge.bytes() == 0;
  if (made) {
    entered.refused = context_.StartLoad(group);
    if (entered.refused) {
      table.Finish(*request);
      return entered;
    }
    request->charge = Charge(context_.store.in_flight(group.index()), ChargeKind::kFlights,
                             kRequestBytes + key.bytes.size());
    if (target == Target::kPeer && WishFor(executor, shard, group, key) == Wish::kLease) {
      request->wish = Wish::kLease;
    }
  }
  request->deadline = std::max(request->deadline, deadline);
  MoveInto(&request->waiters, *waiters);
  entered.send = table.Dispatch(key.bytes, key.hash, false);
  if (made && entered.send == nullptr) {
    Duration time = deadline - context_.clock.Now();
    // One load a key, node and lease, however short the requests' time is.
    if (target == Target::kDegraded) time = std::max(time, 2 * group.config().hot_lease);
    entered.delayed = {request, time};
  }
  return entered;
}

Wish ForwardPath::WishFor(Executor& executor, Shard& shard, const Group& group, Key key) {
  if (!group.hot()) return Wish::kNone;
  const Entry* last = shard.entries.FindAny(key.bytes, key.hash);
  const bool last_was_hit = last != nullptr && last->role() == Role::kHot && last->hit();
  const bool wished = last_was_hit || context_.OneIn(executor, group.config().hot_sample);
  return wished ? Wish::kLease : Wish::kNone;
}

void ForwardPath::Renew(Executor& executor, Group& group, Key key) {
  Entered entered;
  Shard& shard = context_.store.ShardOf(key.hash);
  {
    std::lock_guard lock(shard.mutex);
    Waiters nobody;
    const Instant deadline = context_.clock.Now() + kRenewalTime;
    entered = Enqueue(executor, shard, Target::kPeer, group, key, deadline, &nobody);
    if (entered.refused) return;
    Request& request =
        entered.send ? *entered.send : *shard.to_peer.Collecting(key.bytes, key.hash);
    request.background = true;
    request.wish = Wish::kLease;
  }
  Go(executor, Target::kPeer, entered);
}

void ForwardPath::Go(Executor& executor, Target target, const Entered& entered) {
  if (entered.send) Send(executor, target, entered.send);
  if (entered.delayed.request) SendAtHalfTime(executor, target, entered.delayed);
}

void ForwardPath::SendAtHalfTime(Executor& executor, Target target, const Delayed& delayed) {
  // Weak: most requests have long returned by then.
  executor.After(delayed.time / 2,
                 [this, &executor, target, weak = std::weak_ptr(delayed.request)] {
                   const RequestPtr request = weak.lock();
                   if (!request) return;
                   RequestPtr send;
                   Shard& shard = context_.store.ShardOf(request->hash);
                   {
                     std::lock_guard lock(shard.mutex);
                     if (request->state == Request::State::kCollecting) {
                       send = Table(shard, target).Dispatch(request->key, request->hash, true);
                     }
                   }
                   if (send) Send(executor, target, send);
                 });
}

void ForwardPath::Send(Executor& executor, Target target, const RequestPtr& request) {
  if (target != Target::kPeer) return Load(executor, target, request);
  const NodeId owner = context_.picker.Owner(request->key).node;
  context_.picker.Fetch(executor, owner, request->outgoing.HandOver(*this, executor));
}

void ForwardPath::Load(Executor& executor, Target target, const RequestPtr& request) {
  Group& group = request->group;
  // The backend's batches leave later, so whoever comes from now on waits for the next load.
  if (!OnSending(executor, target, *request, context_.clock.Now())) return;
  auto done = Completion<Result<Loaded>>::Make(
      executor, [this, &executor, &group, target, request](Result<Loaded> result) {
        Result<PeerReply> reply = std::move(result).map([&](Loaded loaded) {
          PeerReply plain;
          if (target == Target::kDegraded) {
            plain.lease = group.config().hot_lease;
            plain.ttl = loaded.ttl.value_or(group.config().ttl);
          }
          plain.loaded = std::move(loaded);
          return plain;
        });
        OnReply(executor, target, *request, std::move(reply));
      });
  group.origin().Load(executor, group.BackendKey(request->key), std::move(done));
}

bool ForwardPath::OnSending(Executor& executor, Target target, Request& request, Instant now) {
  Group& group = request.group;
  GroupStats& stats = group.stats(executor.index());
  Shard& shard = context_.store.ShardOf(request.hash);
  size_t gone = 0;
  bool leaves = true;
  {
    std::lock_guard lock(shard.mutex);
    gone = std::erase_if(request.waiters, [](const Waiter& waiter) { return !waiter.pending(); });
    leaves = !request.waiters.empty() || request.background;
    if (leaves) {
      const uint32_t mark = context_.store.marks().Of(group.index(), Role::kHot);
      ForwardTable::MarkSent(request, now, mark);
    } else {
      Table(shard, target).Finish(request);
    }
  }
  group.EndWaits(static_cast<uint32_t>(gone));
  if (!leaves) {
    group.EndLoad();
    return false;
  }
  if (!request.background) stats.loads_deduped.Add();
  (target == Target::kPeer ? stats.peer_loads : stats.local_loads).Add();
  if (target == Target::kDegraded) stats.degraded_loads.Add();
  return true;
}

}  // namespace cistern::cache
