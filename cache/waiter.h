// Waiter: somebody who waits for one key: a client of this node, or a peer that asked it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/peer_picker.h"
#include "cache/recycler.h"

namespace cistern::cache {

// What a GET is answered with.
struct Answer {
  BlobPtr value;  // null: not found, unless `lent`
  // A short value, where it came in from a peer: valid while the handler runs.
  std::optional<std::string_view> lent;

  // Null: not found.
  BlobPtr Blob() const { return lent ? MakeBlob(std::string(*lent)) : value; }
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
  NodeId node = 0;  // the rest describes the peer; clients wish nothing
  Incarnation incarnation = 0;
  Wish wish = Wish::kNone;
  Source source = Source::kLoaded;

  bool pending() const { return client ? client->pending() : peer->pending(); }
  void Finish(const Result<Loaded>& result, Lease lease, Duration ttl) const;
  void Fail(const Error& error) const;
};

// Nearly always of one.
using Waiters = std::vector<Waiter, Recycler<Waiter>>;

// Moves all of `from` behind what `to` has; returns how many there were.
uint32_t MoveInto(Waiters* to, Waiters& from);

}  // namespace cistern::cache
