#include "cache/error.h"

namespace cistern::cache {
namespace {

constexpr size_t kShownKeyBytes = 128;

std::string Millis(Duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

std::string About(std::string_view subject, std::string_view what) {
  std::string text(subject);
  text += ": ";
  text += what;
  return text;
}

// A key may hold any byte; a reply line may not hold CR or LF, and nobody wants 64 KiB of it.
std::string Shown(std::string_view key) {
  std::string shown(key.substr(0, kShownKeyBytes));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '.';
  }
  if (key.size() > kShownKeyBytes) shown += "...";
  return shown;
}

}  // namespace

std::string_view ReplyPrefix(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBackend:
      return "BACKEND";
    case ErrorCode::kOverload:
      return "OVERLOAD";
    case ErrorCode::kPeer:
    case ErrorCode::kPeerLost:
    case ErrorCode::kNotOwner:
      return "PEER";
    case ErrorCode::kNoGroup:
      return "NOGROUP";
    case ErrorCode::kNoWrite:
      return "NOWRITE";
    case ErrorCode::kTimeout:
      return "TIMEOUT";
    case ErrorCode::kTooLarge:
    case ErrorCode::kShutdown:
      return "ERR";
  }
  return "ERR";
}

namespace errors {

Error NoGroup(std::string_view key) {
  return {ErrorCode::kNoGroup, "no group serves key '" + Shown(key) + "'"};
}
Error NoSuchGroup(std::string_view group) {
  return {ErrorCode::kNoGroup, "no group is named '" + Shown(group) + "'"};
}
Error NoWrite(std::string_view group) {
  return {ErrorCode::kNoWrite, "group '" + std::string(group) + "' takes no writes"};
}
Error Backend(std::string_view group, std::string_view detail) {
  return {ErrorCode::kBackend, About(group, detail)};
}
Error BackendDown(std::string_view group, std::string_view address, Duration since,
                  std::string_view failure) {
  return Backend(group,
                 About(std::string(address) + " has been down for " + Millis(since), failure));
}
Error BackendTimeout(std::string_view group, Duration limit) {
  return Backend(group, "timeout after " + Millis(limit));
}
Error TooManyLoads(std::string_view group, size_t limit) {
  return {ErrorCode::kOverload, About(group, std::to_string(limit) + " loads in flight")};
}
Error TooManyBytes(std::string_view group, uint64_t limit) {
  return {ErrorCode::kOverload, About(group, std::to_string(limit) + " bytes in flight")};
}
Error OutOfMemory(std::string_view group, uint64_t limit) {
  return {ErrorCode::kOverload,
          About(group, "all of server.memory (" + std::to_string(limit) + " bytes) is in use")};
}
Error TooManyWaiters(std::string_view group, size_t limit) {
  return {ErrorCode::kOverload, About(group, std::to_string(limit) + " requests waiting")};
}
Error PeerUnreachable(std::string_view node) {
  return {ErrorCode::kPeer, "owner " + std::string(node) + " cannot be reached"};
}
Error PeerLost(std::string_view node) {
  return {ErrorCode::kPeerLost, "link to owner " + std::string(node) + " was lost"};
}
Error NotConfirmed(std::string_view node) {
  return {ErrorCode::kPeer, "owner " + std::string(node) + " did not confirm"};
}
Error NotConfirmedIn(Duration limit) {
  return {ErrorCode::kPeer, "the owner did not confirm within " + Millis(limit)};
}
Error NotPurged(std::string_view node) {
  return {ErrorCode::kPeer, "node " + std::string(node) + " did not confirm"};
}
Error OutcomeUnknown(std::string_view node) {
  return {ErrorCode::kPeer, "outcome unknown, link to owner " + std::string(node) + " was lost"};
}
Error MembersChange() {
  return {ErrorCode::kPeer, "nodes come and go, so not all of them confirmed: try again"};
}
Error Leaving(std::string_view node) {
  return {ErrorCode::kPeer, "owner " + std::string(node) + " is stopping"};
}
Error NotOwner(std::string_view node) {
  return {ErrorCode::kNotOwner, "node " + std::string(node) + " does not own this key"};
}
Error TooLarge(std::string_view group, size_t limit) {
  return {ErrorCode::kTooLarge, About(group, "value above " + std::to_string(limit) +
                                                 " bytes (max_value, or 1/8 of the memory)")};
}
Error Timeout(Duration limit) {
  return {ErrorCode::kTimeout, "no answer within " + Millis(limit)};
}
Error Shutdown() {
  return {ErrorCode::kShutdown, "node is shutting down"};
}

}  // namespace errors
}  // namespace cistern::cache
