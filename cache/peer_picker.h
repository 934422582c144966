// PeerPicker: who owns a key, and how owners are asked. cluster/ implements it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/completion.h"
#include "cache/origin.h"
#include "cache/purge.h"

namespace cistern::cache {

// A node as this process counts it: dense, given once a name, never reused while the process lives.
using NodeId = uint32_t;
// Which start of a node: chosen at random when it starts.
using Incarnation = uint64_t;

struct Pick {
  bool is_self = true;
  NodeId node = 0;     // the owner; also set when it is this node
  uint64_t epoch = 0;  // of the placement that said so
  // A node with another list of members takes somebody else for the owner: so what is held here may
  // not be all that there is, and is kept for the group's hot_lease at most.
  bool disputed = false;
};

// A start of a node, and the longest lease that it may hold.
struct PeerStart {
  NodeId node = 0;
  Incarnation incarnation = 0;
  Duration longest_lease{0};
};

enum class Wish : uint8_t { kNone, kLease };

// Where the owner had it from.
enum class Source : uint8_t { kMain, kLoaded, kJoined, kNotOwner };

// The owner's answer for one key.
struct PeerReply {
  // Longer values are worth a blob: whoever replies with one does not copy it.
  static constexpr size_t kMostLent = 4096;

  Loaded loaded;  // value null: not found, unless `lent`
  // A short value, where it came in: valid during PeerFetch::OnReply() only.
  std::optional<std::string_view> lent;
  Duration lease{0};      // 0: not to be kept. Counted from the request's sending.
  uint64_t sequence = 0;  // of the grant, from the owner's one sequence of grants and notices
  Duration ttl{0};        // of the value at the owner, from its answer; 0: none
  Source source = Source::kMain;

  bool is_found() const { return lent || loaded.value != nullptr; }
  // REQUIRES: is_found().
  std::string_view bytes() const { return lent ? *lent : loaded.value->bytes(); }
  // From now on the value is its own.
  void Own() {
    if (lent) loaded.value = MakeBlob(std::string(*lent));
    lent.reset();
  }
};

// One key asked of one peer: made by cache/, carried by cluster/. Used on one executor's thread.
class PeerFetch {
 public:
  virtual ~PeerFetch() = default;
  virtual std::string_view key() const = 0;  // the client's whole key; valid as long as this object
  virtual Wish wish() const = 0;
  virtual Instant deadline() const = 0;

  // Called once, right before the frame with this key is made. False: nobody waits any more, leave
  // it out; OnReply is then not called. True: `sent` is the instant that a lease is counted from.
  virtual bool OnSending(Instant sent) = 0;
  // Called exactly once after OnSending was true, or once without it when the peer cannot be asked
  // at all (kPeer). Errors keep their code over the hop. Never called inside Fetch().
  virtual void OnReply(Result<PeerReply> reply) = 0;
};

// What an owner tells a holder: drop your copy, detach your flights of this key, then acknowledge.
struct Notice {
  std::string key;
  uint64_t sequence = 0;  // acknowledging it ends only leases granted before it
};

class PeerPicker {
 public:
  virtual ~PeerPicker() = default;

  // One array read. (thread-safe)
  virtual Pick Owner(std::string_view key) const = 0;
  // Whether `node` can be heard: some connection that this node made to it is up. The cache is told
  // (Cache::PeerHeard) after this has become true and before anything sent to the node is answered.
  // (thread-safe)
  virtual bool IsReachable(NodeId node) const = 0;
  // Peers that this node knows of and that have another table of owners: what they hold no record
  // here tells of, so they hear of every change. Empty, and cheap to ask, while all agree.
  // (thread-safe)
  virtual std::vector<PeerStart> Dissenters() const = 0;
  // This node's name, for texts. (thread-safe)
  virtual std::string SelfName() const = 0;

  // Asks `node`; keys of one loop turn for one node travel in one frame. `executor`'s thread.
  virtual void Fetch(Executor& executor, NodeId node, std::shared_ptr<PeerFetch> fetch) = 0;

  // Sends a notice to that incarnation of `node`. `acknowledged` is completed with true once it has
  // answered, with false when the link was lost or another incarnation is there: then the lease's
  // end decides. (thread-safe)
  virtual void Notify(NodeId node, Incarnation incarnation, Notice notice,
                      CompletionPtr<bool> acknowledged) = 0;

  // Invalidates `keys` at their owner `node` (another node). Completes with the number of entries
  // that it held, or an error of code kPeer. Sent once, never repeated. `executor`'s thread.
  virtual void Invalidate(Executor& executor, NodeId node, std::vector<std::string> keys,
                          CompletionPtr<Result<int64_t>> done) = 0;

  // Has every other node run one round of a purge. Completes when all have, with a number that
  // stays the same as long as they are the same starts of the same nodes with the same table of
  // owners; or with an error of code kPeer that names one who has not. `executor`'s thread.
  virtual void Purge(Executor& executor, const PurgeScope& scope, PurgeRound round,
                     CompletionPtr<Result<uint64_t>> done) = 0;
};

}  // namespace cistern::cache
