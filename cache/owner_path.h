// OwnerPath: how a key that this node owns is loaded, kept and leased out.
#pragma once

#include <functional>
#include <memory>

#include "cache/context.h"
#include "cache/flight.h"

namespace cistern::cache {

using TakeReply = std::function<void(const PeerReply& reply)>;

class OwnerPath {
 public:
  explicit OwnerPath(Context& context) : context_(context) {}

  // Answers `waiter` from the main cache if the key is there now, else by the key's flight, joined
  // or started. The look and the start are one critical section:
  //   1. A misses, starts a flight, which lands and is stored;
  //   2. B, who missed before that, comes only now: it finds the entry and loads nothing.
  // The waiter is completed exactly once, never inside this call. Nothing, and the waiter is not
  // taken, when this node does not own the key any more. `executor`'s thread.
  std::optional<GetOutcome> Get(Executor& executor, Group& group, Key key, Waiter& waiter);
  // The same for a peer, which waits for nothing: true if the key is there, and `take` was called
  // under the shard's lock with what is `lent` until then. `now` is read after the peer's request
  // was; `peer` has no completion.
  bool Find(Group& group, Key key, Instant now, const Waiter& peer, const TakeReply& take);

 private:
  struct Look;

  // REQUIRES: the shard's lock. Takes the waiter unless it is refused, or the key not owned.
  Look JoinOrMake(Shard& shard, Group& group, Key key, Waiter& waiter);
  void Start(Executor& executor, const std::shared_ptr<Flight>& flight);
  // The load has returned: check, store and grant in one critical section, then answer everybody.
  void Land(Executor& executor, const std::shared_ptr<Flight>& flight, Result<Loaded> result);
  // Returns the life of what was kept, 0 if it has no end; nothing when it was not kept.
  // Asks for the owner again: see Ownership.
  std::optional<Duration> Keep(Executor& executor, Shard& shard, const Flight& flight,
                               const Loaded& loaded, Instant now);
  Lease GrantTo(const Waiter& waiter, Shard& shard, const Group& group, std::string_view key,
                Duration ttl);

  Context& context_;
};

// What an entry says, as if it had just been loaded. Under the shard's lock.
Loaded LoadedFrom(const Entry& entry);
// How long an entry lives from `now` on; 0: no end.
Duration TtlOf(const Entry& entry, Instant now);
// Whether an entry of that size may be kept in the group's account at all.
bool FitsAccount(const Account& account, std::string_view key, const BlobPtr& value);

}  // namespace cistern::cache
