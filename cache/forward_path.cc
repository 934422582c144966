#include "cache/forward_path.h"

#include <algorithm>

#include "cache/owner_path.h"

namespace cistern::cache {
namespace {

constexpr uint64_t kRequestBytes = sizeof(Request) + 160;  // with its table's node and the link's
constexpr Duration kRenewalTime = std::chrono::seconds(1);

bool IsPeerError(ErrorCode code) {
  return code == ErrorCode::kPeer || code == ErrorCode::kPeerLost;
}

// A copy is renewed in its lease's last quarter; not if what it copies ends before the lease does:
// a renewed copy would end no later.
Instant RefreshFrom(Instant sent, Duration life, Duration lease) {
  return life < lease ? kNever : sent + life - lease / 4;
}

}  // namespace

class ForwardPath::Outgoing final : public PeerFetch {
 public:
  Outgoing(ForwardPath& path, Executor& executor, RequestPtr request)
      : path_(path), executor_(executor), request_(std::move(request)) {}

  std::string_view key() const override { return request_->key; }
  Wish wish() const override { return request_->wish; }
  Instant deadline() const override { return request_->deadline; }
  bool OnSending(Instant sent) override {
    return path_.OnSending(executor_, Target::kPeer, request_, sent);
  }
  void OnReply(Result<PeerReply> reply) override {
    path_.OnReply(executor_, Target::kPeer, request_, std::move(reply));
  }

 private:
  ForwardPath& path_;
  Executor& executor_;
  const RequestPtr request_;
};

GetOutcome ForwardPath::Get(Executor& executor, Group& group, Key key, Instant deadline,
                            Waiter waiter) {
  return Join(executor, Target::kPeer, group, key, deadline, std::move(waiter));
}

GetOutcome ForwardPath::GetFromBackend(Executor& executor, Group& group, Key key, Instant deadline,
                                       Waiter waiter) {
  waiter.source = Source::kNotOwner;
  return Join(executor, Target::kBackend, group, key, deadline, std::move(waiter));
}

GetOutcome ForwardPath::Join(Executor& executor, Target target, Group& group, Key key,
                             Instant deadline, Waiter waiter) {
  if (!group.TryWait()) {
    waiter.Fail(errors::TooManyWaiters(group.name(), group.config().max_waiters));
    return GetOutcome::kRefused;
  }
  std::optional<Loaded> copy;
  bool accepted = true;
  RequestPtr send;
  Delayed delayed;
  Waiters one{std::move(waiter)};
  {
    Shard& shard = context_.store.ShardOf(key.hash);
    const Instant now = context_.clock.Now();
    std::lock_guard lock(shard.mutex);
    Entry* entry = shard.entries.Find(key.bytes, key.hash, now);
    if (entry != nullptr && target == Target::kPeer) {
      shard.entries.Hit(entry);
      copy = LoadedFrom(*entry);
    } else {
      accepted = Enqueue(executor, shard, target, group, key, deadline, &one, &send, &delayed);
    }
  }
  if (copy || !accepted) group.EndWaits(1);
  if (copy) {
    one[0].Finish(*copy, Lease(), Duration(0));
    return copy->value ? GetOutcome::kHotHit : GetOutcome::kNegative;
  }
  if (!accepted) {
    one[0].Fail(errors::TooManyLoads(group.name(), group.config().max_loads));
    return GetOutcome::kRefused;
  }
  if (send) Send(executor, target, send);
  if (delayed.request) SendAtHalfTime(executor, target, delayed);
  return GetOutcome::kLoad;
}

bool ForwardPath::Enqueue(Executor& executor, Shard& shard, Target target, Group& group, Key key,
                          Instant deadline, Waiters* waiters, RequestPtr* send, Delayed* delayed) {
  ForwardTable& table = Table(shard, target);
  const RequestPtr request = table.Join(key.bytes, key.hash, group);
  const bool made = request->charge.bytes() == 0;
  if (made) {
    if (!group.TryStartLoad()) {
      table.Finish(request);
      return false;
    }
    request->charge =
        Charge(context_.store.budget(), ChargeKind::kFlights, kRequestBytes + key.bytes.size());
    if (target == Target::kPeer && group.hot()) {
      // The last copy was hit, so the next one will be; other keys are sampled, as in groupcache.
      const Entry* last = shard.entries.FindAny(key.bytes, key.hash);
      const bool last_was_hit = last != nullptr && last->role() == Role::kHot && last->hit();
      if (last_was_hit || context_.OneIn(executor, group.config().hot_sample)) {
        request->wish = Wish::kLease;
      }
    }
  }
  request->deadline = std::max(request->deadline, deadline);
  MoveInto(&request->waiters, *waiters);
  *send = table.Dispatch(key.bytes, false);
  if (made && *send == nullptr) *delayed = {request, deadline - context_.clock.Now()};
  return true;
}

void ForwardPath::Renew(Executor& executor, Group& group, Key key) {
  RequestPtr send;
  Delayed delayed;
  Shard& shard = context_.store.ShardOf(key.hash);
  {
    std::lock_guard lock(shard.mutex);
    Waiters nobody;
    const Instant deadline = context_.clock.Now() + kRenewalTime;
    if (!Enqueue(executor, shard, Target::kPeer, group, key, deadline, &nobody, &send, &delayed)) {
      return;
    }
    Request& request = send ? *send : *shard.to_peer.Find(key.bytes)->collecting;
    request.background = true;
    request.wish = Wish::kLease;
  }
  if (send) Send(executor, Target::kPeer, send);
  if (delayed.request) SendAtHalfTime(executor, Target::kPeer, delayed);
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
                       send = Table(shard, target).Dispatch(request->key, true);
                     }
                   }
                   if (send) Send(executor, target, send);
                 });
}

void ForwardPath::Send(Executor& executor, Target target, const RequestPtr& request) {
  Group& group = request->group;
  if (target == Target::kPeer) {
    const NodeId owner = context_.picker.Owner(request->key).node;
    context_.picker.Fetch(executor, owner, std::make_shared<Outgoing>(*this, executor, request));
    return;
  }
  // The backend's batches leave later, so whoever comes from now on waits for the next load.
  if (!OnSending(executor, target, request, context_.clock.Now())) return;
  auto done = Completion<Result<Loaded>>::Make(
      executor, [this, &executor, target, request](Result<Loaded> result) {
        Result<PeerReply> reply = std::move(result).map([](Loaded loaded) {
          PeerReply plain;
          plain.loaded = std::move(loaded);
          return plain;
        });
        OnReply(executor, target, request, std::move(reply));
      });
  group.origin().Load(executor, group.BackendKey(request->key), std::move(done));
}

bool ForwardPath::OnSending(Executor& executor, Target target, const RequestPtr& request,
                            Instant now) {
  Group& group = request->group;
  GroupStats& stats = group.stats(executor.index());
  Shard& shard = context_.store.ShardOf(request->hash);
  size_t gone = 0;
  bool leaves = true;
  {
    std::lock_guard lock(shard.mutex);
    gone = std::erase_if(request->waiters, [](const Waiter& waiter) { return !waiter.pending(); });
    leaves = !request->waiters.empty() || request->background;
    if (leaves) {
      Table(shard, target).MarkSent(request, now);
    } else {
      Table(shard, target).Finish(request);
    }
  }
  group.EndWaits(static_cast<uint32_t>(gone));
  if (!leaves) {
    group.EndLoad();
    return false;
  }
  if (!request->background) stats.loads_deduped.Add();
  (target == Target::kPeer ? stats.peer_loads : stats.local_loads).Add();
  return true;
}

void ForwardPath::OnReply(Executor& executor, Target target, const RequestPtr& request,
                          Result<PeerReply> reply) {
  Group& group = request->group;
  GroupStats& stats = group.stats(executor.index());
  if (reply && reply->loaded.value) reply->loaded.value->ChargeTo(context_.store.budget());
  Waiters waiters;
  RequestPtr next;
  bool kept = false;
  Instant now;
  CountLatency(executor, target, *request, context_.clock.Now());
  Shard& shard = context_.store.ShardOf(request->hash);
  {
    std::lock_guard lock(shard.mutex);
    // Read under the lock: a GET that joined before it was taken must not be answered by a lease
    // that ran out while this thread was held up.
    now = context_.clock.Now();
    ForwardTable& table = Table(shard, target);
    kept = reply && KeepCopy(shard, *request, *reply, now);
    waiters.swap(request->waiters);
    table.Finish(request);
    Forward* forward = table.Find(request->key);
    if (kept && forward != nullptr && forward->collecting) {
      // A lease that holds now answers those who came after the request was sent, too.
      MoveInto(&waiters, forward->collecting->waiters);
    }
    next = table.Dispatch(request->key, false);
  }
  group.EndLoad();
  if (kept) context_.store.MakeRoom(group.index());
  if (next) Send(executor, target, next);
  if (target == Target::kBackend) {
    if (!reply) stats.local_load_errors.Add();
    group.health().Note(reply ? nullptr : &reply.error(), now);
  }
  if (!reply && IsPeerError(reply.error().code)) {
    stats.peer_errors.Add();
    // A broken link is no verdict: the owner is asked again, and if it is gone then says so itself.
    const bool lost = reply.error().code == ErrorCode::kPeerLost;
    if (lost) return Reenter(executor, Target::kPeer, *request, std::move(waiters));
    if (group.config().has_backend) {
      return Reenter(executor, Target::kBackend, *request, std::move(waiters));
    }
  }
  group.EndWaits(static_cast<uint32_t>(waiters.size()));
  const Result<Loaded> result =
      std::move(reply).map([](PeerReply answer) { return std::move(answer.loaded); });
  for (const Waiter& waiter : waiters)
    waiter.Finish(result, Lease(), Duration(0));
}

void ForwardPath::CountLatency(Executor& executor, Target target, const Request& request,
                               Instant now) {
  if (request.state != Request::State::kSent) return;  // the owner could not be asked at all
  GroupLatencies& latencies = request.group.latencies(executor.index());
  (target == Target::kPeer ? latencies.forward : latencies.load).Add(now - request.sent);
}

bool ForwardPath::KeepCopy(Shard& shard, const Request& request, const PeerReply& reply,
                           Instant now) {
  if (request.detached || reply.lease == Duration(0)) return false;
  Duration life = reply.lease;
  if (reply.ttl > Duration(0)) life = std::min(life, reply.ttl);
  if (request.sent + life <= now) return false;
  const Account& account = context_.store.account(request.group.index());
  if (FitsAccount(account, request.key, reply.loaded.value)) {
    shard.entries.Put({.key = request.key,
                       .hash = request.hash,
                       .group = request.group.index(),
                       .role = Role::kHot,
                       .value = reply.loaded.value,
                       .expires = request.sent + life,
                       .refresh_from = RefreshFrom(request.sent, life, reply.lease),
                       .version = reply.loaded.version});
  }
  return true;
}

void ForwardPath::Reenter(Executor& executor, Target target, const Request& failed,
                          Waiters waiters) {
  if (waiters.empty()) return;
  Group& group = failed.group;
  const auto count = static_cast<uint32_t>(waiters.size());
  RequestPtr send;
  Delayed delayed;
  Shard& shard = context_.store.ShardOf(failed.hash);
  bool accepted = false;
  {
    std::lock_guard lock(shard.mutex);
    accepted = Enqueue(executor, shard, target, group, {failed.key, failed.hash}, failed.deadline,
                       &waiters, &send, &delayed);
  }
  if (!accepted) {
    group.EndWaits(count);
    const Error error = errors::TooManyLoads(group.name(), group.config().max_loads);
    for (const Waiter& waiter : waiters)
      waiter.Fail(error);
    return;
  }
  if (send) Send(executor, target, send);
  if (delayed.request) SendAtHalfTime(executor, target, delayed);
}

}  // namespace cistern::cache
