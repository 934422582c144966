// PeerService: what other nodes ask of this one's cache. server/ joins it to cache/.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cache/budget.h"
#include "cache/key.h"
#include "cache/owner_change.h"
#include "cache/peer_picker.h"

namespace cistern::cluster {

// One key that a peer asks for.
struct PeerGetRequest {
  std::string key;  // the client's whole key
  cache::NodeId from = 0;
  cache::Incarnation incarnation = 0;  // of the asker
  uint64_t epoch = 0;                  // of the asker's placement
  cache::Wish wish = cache::Wish::kNone;
  cache::Instant deadline;  // nobody waits any more then; `done` has the same one
};

// One key that may be here, looked for without waiting.
struct PeerLook {
  cache::Key key;
  cache::NodeId from = 0;  // the rest as in PeerGetRequest
  cache::Incarnation incarnation = 0;
  uint64_t epoch = 0;
  cache::Wish wish = cache::Wish::kNone;
  cache::Instant now;  // read after the request was
};

// Methods with an executor are called on its thread, others on any worker's. Completions must not
// run inside the call. Outlives the Cluster's Stop().
class PeerService {
 public:
  virtual ~PeerService() = default;

  // What comes from peers and waits for them is charged to it. (thread-safe)
  virtual cache::Budget& budget() = 0;

  // Ahead of Find(): these keys will be looked for.
  virtual void Prefetch(std::span<const cache::Key> keys) = 0;
  // True: this node owns the key and has it, or knows that it is none, and `take` has been called,
  // under a lock: it must be short. False: Get() is to be asked.
  using Take = std::function<void(const cache::PeerReply& reply)>;
  virtual bool Find(cache::Executor& executor, const PeerLook& look, const Take& take) = 0;
  // Must join or start origin flights only, never ask another node.
  virtual void Get(cache::Executor& executor, PeerGetRequest request,
                   cache::CompletionPtr<cache::Result<cache::PeerReply>> done) = 0;
  // A notice: acknowledged when this has returned, so it must have happened by then.
  virtual void DropCopies(const cache::Notice& notice, cache::NodeId from) = 0;
  // At this node as the owner; answered when all holders have confirmed.
  virtual void Invalidate(cache::Executor& executor, std::vector<std::string> keys,
                          cache::CompletionPtr<cache::Result<int64_t>> done) = 0;
  // One round of a purge, here.
  virtual void Purge(cache::Executor& executor, const cache::PurgeScope& scope,
                     cache::PurgeRound round, cache::CompletionPtr<cache::Result<bool>> done) = 0;
  // The table of owners changes: as cache::Ownership. (thread-safe)
  virtual void ChangeOwners(cache::OwnerChange change) = 0;
  // Slots of this node have become disputed (cache::Pick::disputed): what it holds of them is cut.
  // (thread-safe)
  virtual void CutDisputed() = 0;
  // A node, whose configuration has leases of up to `longest_lease`, is heard after a silence, or
  // as a new incarnation: what this node holds of others may be older than what they know.
  virtual void PeerHeard(cache::Duration longest_lease) = 0;
};

}  // namespace cistern::cluster
