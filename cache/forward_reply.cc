// What becomes of a request's answer: kept or not, and who is answered by it.
#include <algorithm>

#include "cache/forward_path.h"
#include "cache/mutant.h"
#include "cache/owner_path.h"

namespace cistern::cache {
namespace {

// A copy is renewed in its lease's last quarter; not if what it copies ends before the lease does:
// a renewed copy would end no later.
Instant RefreshFrom(Instant sent, Duration life, Duration lease) {
  return life < lease ? kNever : sent + life - lease / 4;
}

// The owner may have what the backend has not. Elsewhere a load that was sent after the GETs came
// answers them well, and asking again would go round while the owner is heard by other workers
// only.
bool TakesWrites(const Group& group) {
  return group.config().writes != Writes::kReject;
}

}  // namespace

void ForwardPath::OnReply(Executor& executor, Target target, Request& request,
                          Result<PeerReply> reply) {
  Group& group = request.group;
  Store& store = context_.store;
  // A copy to be kept needs a value of its own.
  if (reply && reply->lease > Duration(0)) reply->Own();
  if (reply && reply->loaded.value) reply->loaded.value->ChargeTo(store.in_flight(group.index()));
  CountLatency(executor, target, request, context_.clock.Now());
  // What was loaded in place of the owner is not kept once the owner is heard:
  //   1. worker A asks here, before the lock: the owner cannot be reached;
  //   2. its hello comes to worker B, which raises the watermark of copies;
  //   3. a DEL at the owner is confirmed, which knows of no copy here;
  //   4. A takes the lock, and finds its request's mark past.
  const bool is_heard = target == Target::kDegraded &&
                        context_.picker.IsReachable(context_.picker.Owner(request.key).node);
  bool ask_owner = false;
  Waiters waiters;
  RequestPtr next;
  bool kept = false;
  Shard& shard = store.ShardOf(request.hash);
  {
    std::lock_guard lock(shard.mutex);
    const bool is_past = request.mark != store.marks().Of(group.index(), Role::kHot);
    ask_owner = target == Target::kDegraded && (is_past || (is_heard && TakesWrites(group)));
    ForwardTable& table = Table(shard, target);
    kept = reply && !is_past && !is_heard && KeepCopy(shard, target, request, *reply);
    waiters.swap(request.waiters);
    table.Finish(request);
    Request* collecting = table.Collecting(request.key, request.hash);
    if (kept && collecting != nullptr) {
      // A lease that holds now answers those who came after the request was sent, too.
      MoveInto(&waiters, collecting->waiters);
    }
    next = table.Dispatch(request.key, request.hash, false);
  }
  group.EndLoad();
  if (kept) store.MakeRoom(group.index());
  if (next) Send(executor, target, next);
  if (const auto instead = Instead(executor, target, request, reply, ask_owner)) {
    if (waiters.empty()) return;
    Enter(executor, *instead, group, {request.key, request.hash}, request.deadline,
          std::move(waiters));
    return;
  }
  group.EndWaits(static_cast<uint32_t>(waiters.size()));
  Answer(executor, waiters, reply);
}

// A short value goes from where the link has read it into its client's pending reply, without a
// blob in between. Who waits on another thread, or at a peer, gets a value of its own.
void ForwardPath::Answer(Executor& executor, const Waiters& waiters, Result<PeerReply>& reply) {
  for (const Waiter& waiter : waiters) {
    if (!reply) {
      waiter.Fail(reply.error());
    } else if (waiter.client && &waiter.client->home() == &executor) {
      waiter.client->DoneNow(cache::Answer{reply->loaded.value, reply->lent});
    } else {
      reply->Own();
      waiter.Finish(reply->loaded, Lease(), Duration(0));
    }
  }
}

std::optional<ForwardPath::Target> ForwardPath::Instead(Executor& executor, Target target,
                                                        const Request& request,
                                                        const Result<PeerReply>& reply,
                                                        bool ask_owner) {
  Group& group = request.group;
  GroupStats& stats = group.stats(executor.index());
  if (target != Target::kPeer) {
    if (!reply) stats.local_load_errors.Add();
    group.health().Note(reply ? nullptr : &reply.error(), context_.clock.Now());
    return ask_owner ? std::optional(Target::kPeer) : std::nullopt;
  }
  if (reply) return std::nullopt;
  const ErrorCode code = reply.error().code;
  if (code != ErrorCode::kPeer && code != ErrorCode::kPeerLost) return std::nullopt;
  stats.peer_errors.Add();
  // A broken link is no verdict: the owner is asked again, and if it is gone then says so itself.
  if (code == ErrorCode::kPeerLost) return Target::kPeer;
  return group.config().has_backend ? std::optional(Target::kDegraded) : std::nullopt;
}

void ForwardPath::CountLatency(Executor& executor, Target target, const Request& request,
                               Instant now) {
  if (request.state != Request::State::kSent) return;  // the owner could not be asked at all
  GroupLatencies& latencies = request.group.latencies(executor.index());
  (target == Target::kPeer ? latencies.forward : latencies.load).Add(now - request.sent);
}

bool ForwardPath::KeepCopy(Shard& shard, Target target, const Request& request,
                           const PeerReply& reply) {
  if (request.detached || reply.lease == Duration(0)) return false;
  // Read under the lock: a GET that joined before it was taken must not be answered by a lease that
  // ran out while this thread was held up.
  const Instant now = context_.clock.Now();
  Duration life = reply.lease;
  if (reply.ttl > Duration(0)) life = std::min(life, reply.ttl);
  const Instant from = IsMutant(Mutant::kLeaseFromReceipt) ? now : request.sent;
  if (from + life <= now) return IsMutant(Mutant::kJoinedAfterLease);
  // In place of the owner one load a lease is all that the backend should see.
  const Instant refresh_from =
      target == Target::kPeer ? RefreshFrom(from, life, reply.lease) : kNever;
  const Account& account = context_.store.account(request.group.index());
  if (FitsAccount(account, request.key, reply.loaded.value)) {
    shard.entries.Put({.key = request.key,
                       .hash = request.hash,
                       .group = request.group.index(),
                       .role = Role::kHot,
                       .mark = request.mark,
                       .value = reply.loaded.value,
                       .expires = from + life,
                       .refresh_from = refresh_from,
                       .version = reply.loaded.version});
  }
  return true;
}

}  // namespace cistern::cache
