// ForwardPath: how a key that another node owns is answered here: by its owner, or, when there is
// nobody to ask, by the backend; and how leased copies come to be and are renewed.
#pragma once

#include <memory>

#include "cache/context.h"
#include "cache/forward.h"

namespace cistern::cache {

class ForwardPath {
 public:
  explicit ForwardPath(Context& context) : context_(context) {}

  // Answers from a leased copy if there is one now, else by the next request to the owner. An owner
  // that cannot be asked is replaced by a load from the backend that is not kept. The waiter is
  // completed exactly once, never inside this call. `executor`'s thread.
  GetOutcome Get(Executor& executor, Group& group, Key key, Instant deadline, Waiter waiter);
  // A load for a peer that takes this node for the owner: from the backend, not kept; it never
  // waits on a peer (hop limit 1).
  GetOutcome GetFromBackend(Executor& executor, Group& group, Key key, Instant deadline,
                            Waiter waiter);
  // Asks the owner for a new lease though nobody waits.
  void Renew(Executor& executor, Group& group, Key key);

 private:
  enum class Target : uint8_t { kPeer, kBackend };
  class Outgoing;  // a request in the hands of the peer's link
  // A collecting request that may leave after half of `time` though the one before it hangs.
  struct Delayed {
    RequestPtr request;
    Duration time{0};
  };

  static ForwardTable& Table(Shard& shard, Target target) {
    return target == Target::kPeer ? shard.to_peer : shard.to_backend;
  }
  // Joins the collecting request and dispatches it if it may leave. REQUIRES: the shard's lock.
  // `send` becomes what is to be sent after unlocking, `delayed` what waits for half a time.
  bool Enqueue(Executor& executor, Shard& shard, Target target, Group& group, Key key,
               Instant deadline, Waiters* waiters, RequestPtr* send, Delayed* delayed);
  GetOutcome Join(Executor& executor, Target target, Group& group, Key key, Instant deadline,
                  Waiter waiter);
  void Send(Executor& executor, Target target, const RequestPtr& request);
  void SendAtHalfTime(Executor& executor, Target target, const Delayed& delayed);
  bool OnSending(Executor& executor, Target target, const RequestPtr& request, Instant now);
  void OnReply(Executor& executor, Target target, const RequestPtr& request,
               Result<PeerReply> reply);
  static void CountLatency(Executor& executor, Target target, const Request& request, Instant now);
  // Keeps a leased copy; false when the lease has run out meanwhile, or the value is too large.
  bool KeepCopy(Shard& shard, const Request& request, const PeerReply& reply, Instant now);
  // Whoever waited for a request that failed waits for the next one of `target`.
  void Reenter(Executor& executor, Target target, const Request& failed, Waiters waiters);

  Context& context_;
};

}  // namespace cistern::cache
