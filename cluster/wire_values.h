// Our values as messages of the peer wire, and back. What a newer node says that is not known here
// becomes an error of code kPeer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/error.h"
#include "cache/peer_picker.h"
#include "cluster/command_runner.h"
#include "cluster/get_codec.h"
#include "cluster/peer.pb.h"

namespace cistern::cluster {

// A field that is too large to travel inside its frame (see FrameChannel).
struct LargeField {
  uint32_t index = 0;  // which field of the body: see Detached in peer.proto
  cache::BlobPtr bytes;
};

// Values above this leave in chunks of this.
inline constexpr size_t kChunkBytes = size_t{1} << 20;

// The field of the body that `index` names; null if there is no such field.
std::string* LargeFieldOf(wire::Frame& frame, uint32_t index);

// Why the other side refuses, as it may stand in a log: one short printable line.
std::string TextOf(const wire::Refusal& refusal);

void ToWire(const cache::PurgeScope& scope, cache::PurgeRound round, wire::Invalidate& message);
// The scope of a message that selects more than keys; nothing if it is of no kind known here.
std::optional<cache::PurgeScope> ScopeFromWire(wire::Invalidate& message);

wire::Error ToWire(const cache::Error& error);
cache::Error FromWire(const wire::Error& error);

// Valid as long as `reply`, unchanged.
GetResultView ToWire(const cache::PeerReply& reply);
GetResultView ToWire(const cache::Result<cache::PeerReply>& reply);
// The same as a message, without its value: for one above kChunkBytes.
wire::GetResult WithoutValue(const GetResultView& item);
// A small value is not copied: it stays where `item` has it. `node`: who answered, for texts.
cache::Result<cache::PeerReply> FromWire(const GetResultView& item, std::string_view node);

cache::BlobPtr ToWire(const cache::Result<CommandReply>& reply, wire::CommandReply& message);
cache::Result<CommandReply> FromWire(wire::CommandReply& message, std::string_view node);

// The other side does not know the request, or this one the answer.
cache::Error NotUnderstood(std::string_view node);

}  // namespace cistern::cluster
