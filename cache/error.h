// What can go wrong with a key, and the words users read. (Redis's own texts:
// server/error_texts.h.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cache/clock.h"

namespace cistern::cache {

// Different things, kept apart over every hop. "Not found" is not among them: it is an answer.
enum class ErrorCode : uint8_t {
  kBackend,   // the backend failed, refused, or was too slow
  kOverload,  // a limit of the group is reached
  kPeer,      // the owner could not be asked, or did not confirm
  kPeerLost,  // the link broke while a read was under way: no verdict on the owner
  kNotOwner,  // a peer was asked for what it does not own and cannot load
  kNoGroup,   // no group serves the key
  kNoWrite,   // the group takes no writes
  kTooLarge,  // a value above the group's max_value
  kTimeout,   // the request's own time ran out
  kShutdown,  // the node is stopping
};

struct Error {
  ErrorCode code;
  std::string text;  // names the thing at fault; without the reply's prefix (see ReplyPrefix)
};

template <class T>
using Result = tl::expected<T, Error>;

// The first word of the error's reply: "BACKEND", "OVERLOAD", ...
std::string_view ReplyPrefix(ErrorCode code);

// Every text of ours, made here and nowhere else.
namespace errors {
Error NoGroup(std::string_view key);
Error NoSuchGroup(std::string_view group);
Error NoWrite(std::string_view group);
Error Backend(std::string_view group, std::string_view detail);  // "users: connection refused"
// Nobody has asked it: its last failure is known.
Error BackendDown(std::string_view group, std::string_view address, Duration since,
                  std::string_view failure);
Error BackendTimeout(std::string_view group, Duration limit);  // "users: timeout after 500 ms"
Error TooManyLoads(std::string_view group, size_t limit);
Error TooManyBytes(std::string_view group, uint64_t limit);
Error OutOfMemory(std::string_view group, uint64_t limit);  // entries are evicted, and still
Error TooManyWaiters(std::string_view group, size_t limit);
Error PeerUnreachable(std::string_view node);
Error PeerLost(std::string_view node);        // the link broke while a read was under way
Error NotConfirmed(std::string_view node);    // "owner b did not confirm"
Error NotConfirmedIn(Duration limit);         // "the owner did not confirm within 6000 ms"
Error NotPurged(std::string_view node);       // "node b did not confirm"
Error OutcomeUnknown(std::string_view node);  // the link broke while a write was under way
Error MembersChange();                        // a purge has begun again too often
Error Leaving(std::string_view node);         // it is stopping and changes nothing any more
Error NotOwner(std::string_view node);
Error TooLarge(std::string_view group, size_t limit);
Error Timeout(Duration limit);
Error Shutdown();
}  // namespace errors

}  // namespace cistern::cache
