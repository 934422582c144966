// ForwardPath: how a key that another node owns is answered here: by its owner, or, when there is
// nobody to ask, by the backend; and how copies come to be and are renewed.
#pragma once

#include <memory>
#include <optional>

#include "cache/context.h"
#include "cache/forward.h"

namespace cistern::cache {

class ForwardPath {
 public:
  explicit ForwardPath(Context& context) : context_(context) {}

  // Answers from a copy if there is one now, else by the next request to the owner. An owner that
  // cannot be reached is replaced by the backend, and what that brings is kept as a degraded copy
  // until `hot_lease` after the load was sent, or until the owner is heard. The waiter is completed
  // exactly once, never inside this call. `executor`'s thread.
  GetOutcome Get(Executor& executor, Group& group, Key key, Instant deadline, Waiter waiter);
  // A load for a peer that takes this node for the owner: from the backend, not kept; it never
  // waits on a peer (hop limit 1).
  GetOutcome GetFromBackend(Executor& executor, Group& group, Key key, Instant deadline,
                            Waiter waiter);
  // Asks the owner for a new lease though nobody waits.
  void Renew(Executor& executor, Group& group, Key key);

 private:
  enum class Target : uint8_t {
    kPeer,      // the owner
    kBackend,   // for a peer that asked
    kDegraded,  // in place of the owner
  };
  friend class Outgoing;
  // A collecting request that may leave after half of `time` though the one before it hangs.
  struct Delayed {
    RequestPtr request;
    Duration time{0};
  };
  // What the critical section of a GET found, to be acted upon outside it.
  struct Entered {
    std::optional<Loaded> copy;
    std::optional<Error> refused;
    RequestPtr send;
    Delayed delayed;
  };

  static ForwardTable& Table(Shard& shard, Target target);

  // Going out. (forward_path.cc)
  GetOutcome Wait(Executor& executor, Target target, Group& group, Key key, Instant deadline,
                  Waiter waiter);
  // Those who wait are answered by a copy, or join the next request of `target`.
  GetOutcome Enter(Executor& executor, Target target, Group& group, Key key, Instant deadline,
                   Waiters waiters);
  // Joins the collecting request and dispatches it if it may leave. REQUIRES: the shard's lock.
  Entered Enqueue(Executor& executor, Shard& shard, Target target, Group& group, Key key,
                  Instant deadline, Waiters* waiters);
  // A request to the owner wishes a lease if the last copy was hit, so the next one will be; other
  // keys are sampled, as in groupcache. REQUIRES: the shard's lock.
  Wish WishFor(Executor& executor, Shard& shard, const Group& group, Key key);
  void Go(Executor& executor, Target target, const Entered& entered);
  void Send(Executor& executor, Target target, const RequestPtr& request);
  void Load(Executor& executor, Target target, const RequestPtr& request);
  void SendAtHalfTime(Executor& executor, Target target, const Delayed& delayed);
  bool OnSending(Executor& executor, Target target, Request& request, Instant now);

  // Coming back. (forward_reply.cc)
  // `request` is held by the caller.
  void OnReply(Executor& executor, Target target, Request& request, Result<PeerReply> reply);
  static void Answer(Executor& executor, const Waiters& waiters, Result<PeerReply>& reply);
  // Counts what came back; whom it must be asked of instead, if it answers nobody.
  std::optional<Target> Instead(Executor& executor, Target target, const Request& request,
                                const Result<PeerReply>& reply, bool ask_owner);
  static void CountLatency(Executor& executor, Target target, const Request& request, Instant now);
  // Keeps a copy; false when its time has run out meanwhile.
  // REQUIRES: the shard's lock.
  bool KeepCopy(Shard& shard, Target target, const Request& request, const PeerReply& reply);

  Context& context_;
};

}  // namespace cistern::cache
