// Cache: groupcache proper. One a node: groups, store, flights; asks origins and peers through
// their interfaces; knows no socket and no protocol.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cache/context.h"
#include "cache/forward_path.h"
#include "cache/lookahead.h"
#include "cache/owner_path.h"
#include "cache/ownership.h"
#include "cache/purge_path.h"
#include "cache/write_path.h"

namespace cistern::cache {

struct GroupSpec {
  GroupConfig config;
  std::unique_ptr<Origin> origin;
  BackendHealth::Listener on_health = nullptr;
};

// One key of a batch, as Find shows it.
struct Found {
  enum class Kind : uint8_t { kMiss, kValue, kNotFound };
  Kind kind = Kind::kMiss;
  std::string_view value;      // kValue: valid during the visit only ...
  const Blob* blob = nullptr;  // ... set: of a large one, to be held beyond it by a BlobPtr
};

// What a peer asks for.
struct PeerGet {
  std::string_view key;
  NodeId node = 0;
  Incarnation incarnation = 0;
  uint64_t epoch = 0;  // of the asker's placement: no lease is granted across a difference
  Wish wish = Wish::kNone;
  Instant deadline;
};

// Methods that take an executor are called on its thread, which is one of `executors`; others from
// any thread. Keys are the clients' whole keys. Completions never run inside a call.
class Cache {
 public:
  // `executors`, `picker` and `clock` outlive the cache; it outlives everything asked of it: stop
  // in the order Shutdown(), executors, cache.
  Cache(const Store::Options& options, std::vector<GroupSpec> groups,
        std::span<Executor* const> executors, PeerPicker& picker, const Clock& clock);

  // Begins to reclaim what has expired, on every executor, until Shutdown().
  void Start();
  // From now on nothing is changed or lent here: others will soon act for this node. A change that
  // an executor is in the middle of may still be made: let each run something else before you tell
  // the others.
  void Leave() { context_.leaving.store(true); }
  // Completes all waiters with kShutdown; later requests likewise.
  void Shutdown();

  // The hit path: looks at each key in order and calls visit(i, const Found&). `now` is a reading
  // of the clock after the keys were read from their client. A hit may be visited under the
  // shard's lock: copy or pin, nothing else; a miss is visited without it and should be followed by
  // Get. Never waits, never allocates, never leaves the thread. Without `touches` the order of
  // eviction stays as it is.
  template <class Visit>
  void Find(Executor& executor, std::span<const Key> keys, Instant now, Visit&& visit,
            bool touches = true);
  // The same for one key, which is not prefetched. False: it is a miss, and was not visited.
  template <class Visit>
  bool FindOne(Executor& executor, const Key& key, Instant now, Visit&& visit, bool touches = true);

  // For a key that Find missed. `done` should have a deadline of its own, not after `deadline`.
  void Get(Executor& executor, Key key, Instant deadline, CompletionPtr<Result<Answer>> done);

  // Invalidates keys wherever they are owned; none if one has no group. Completes with the number
  // of entries that owners held, or the first error: then nothing is promised.
  void Delete(Executor& executor, std::vector<std::string> keys,
              CompletionPtr<Result<int64_t>> done);

  // As PurgePath's.
  void Purge(Executor& executor, PurgeScope scope, CompletionPtr<Result<bool>> done) {
    purge_path_.Run(executor, std::move(scope), std::move(done));
  }
  void PurgeHere(Executor& executor, const PurgeScope& scope, PurgeRound round,
                 CompletionPtr<Result<bool>> done) {
    if (auto leaving = Leaving()) return done->Done(tl::unexpected(std::move(*leaving)));
    purge_path_.RunHere(executor, scope, round, std::move(done));
  }

  // Whether this node owns every one of the keys.
  bool OwnsAll(std::span<const std::string> keys) const;
  // At the owner only; kNotOwner elsewhere, and nothing has run then. The change is made at once,
  // but its result may be told only if `recalls` stays empty, else when Confirm() has been called
  // with it and says so.
  Result<int64_t> InvalidateHere(Executor& executor, std::span<const std::string> keys,
                                 Recalls* recalls);
  // As WritePath::Update.
  Result<bool> UpdateHere(Executor& executor, Key key, Touches touches, const Decide& decide,
                          Recalls* recalls);
  // As WritePath::Confirm.
  void Confirm(Executor& executor, Recalls recalls, std::function<void()> confirmed) {
    write_path_.Confirm(executor, std::move(recalls), std::move(confirmed));
  }
  // When the value that the owner has ends: nothing if the key is absent, kNever if it has no end.
  Result<std::optional<Instant>> EndHere(Key key) const;

  // What a peer asks this node for, answered at once if it is here: as OwnerPath::Find. False: it
  // is to be asked of ServePeer().
  bool FindForPeer(Executor& executor, const PeerGet& get, Key key, Instant now,
                   const TakeReply& take);
  // What a peer asks this node for.
  void ServePeer(Executor& executor, const PeerGet& get, CompletionPtr<Result<PeerReply>> done);
  // A notice: drops whatever this node holds of the key in any role and detaches its flights; to be
  // acknowledged after it has returned.
  void DropCopies(const Notice& notice);
  // This node's last start may have granted leases of up to so long: nothing is confirmed before
  // they have ended. May be called again, with another length. Not needed where there are no peers.
  void HonourLeases(Duration longest);
  // Peers may need so long after this node's start to hear of it, and to drop what they loaded in
  // its place: nothing is confirmed before. (thread-safe)
  void AwaitPeers(Duration time) { store_.grace().Extend(started_ + time); }
  // A peer is heard again after a silence, or for the first time as its new incarnation, which
  // knows of no lease: copies are dropped, and what was sent or loaded before is not kept. (All
  // copies: they live a second at most, and are had again for one message.)
  void PeerHeard() { store_.marks().RaiseCopies(); }

  // As Ownership's. (thread-safe)
  void ChangeOwners(OwnerChange change) {
    ownership_.Change(*executors_.front(), std::move(change));
  }
  void CutDisputed() { ownership_.CutDisputed(*executors_.front()); }

  // The group that serves the key: the longest matching prefix; null if there is none.
  Group* GroupOf(std::string_view key) const;
  PeerPicker& picker() { return context_.picker; }
  std::span<const std::unique_ptr<Group>> groups() const { return groups_; }
  Store& store() { return store_; }
  // Flights and requests under way, of all shards.
  size_t LoadsInFlight();

 private:
  // Why nothing may be changed here any more.
  std::optional<Error> Leaving() const;
  // It is in the main cache, and this node owns it no more.
  bool IsLost(const Entry& entry) const {
    return entry.role() == Role::kMain && !context_.Owns(entry.key());
  }
  // The key's group, if this node owns the key.
  Result<Group*> GroupHere(std::string_view key) const;
  void Renew(Executor& executor, uint16_t group, Key key);
  const Entry* Peek(const Shard& shard, const Key& key, Instant now, bool touches, EntryCopy& copy);
  static Found FoundIn(const Entry& entry);
  void CountHit(Executor& executor, const Entry& entry);
  void CountOutcome(Executor& executor, Group& group, GetOutcome outcome);
  void ReclaimAgain(Executor& executor);

  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<Group*> by_prefix_;  // longest prefix first
  Store store_;
  Context context_;
  OwnerPath owner_path_;
  ForwardPath forward_path_;
  WritePath write_path_;
  PurgePath purge_path_;
  Ownership ownership_;
  const std::vector<Executor*> executors_;
  const Instant started_;
  std::atomic<bool> stopping_{false};
};

}  // namespace cistern::cache

#include "cache/cache_find.h"
