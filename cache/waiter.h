// Waiter: somebody who waits for one key: a client of this node, or a peer that asked it.
#pragma once

#include <vector>

#include "cache/peer_picker.h"

namespace cistern::cache {

// What a GET is answered with.
struct Answer {
  BlobPtr value;  // null: not found
};

// A lease that came with an answer; 0: none.
struct Lease {
  Duration length{0};
  uint64_t sequence = 0;
};

// Exactly one of the two completions is set.
struct Waiter {
  CompletionPtr<Result<Answer>> client;

  CompletionPtr<Result<PeerReply>> peer;
  NodeId node = 0;  // the rest describes the peer
  Incarnation incarnation = 0;
  Wish wish = Wish::kNone;
  Source source = Source::kLoaded;

  bool pending() const { return client ? client->pending() : peer->pending(); }
  void Finish(const Result<Loaded>& result, Lease lease, Duration ttl) const;
  void Fail(const Error& error) const;
};

using Waiters = std::vector<Waiter>;

// Moves all of `from` behind what `to` has; returns how many there were.
uint32_t MoveInto(Waiters* to, Waiters& from);

}  // namespace cistern::cache
