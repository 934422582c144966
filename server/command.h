// Command: one row of the command table: everything that any module asks about a command.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/error.h"

namespace cistern::cache {
struct Found;
}
namespace cistern::cluster {
struct CommandReply;
}

namespace cistern::server {

class Call;
class Reply;
struct OwnerCall;

// How requests of one connection that share a key are ordered: see KeyOrder.
enum class Access : uint8_t {
  kNone,     // touches no key: never waits
  kRead,     // its keys may be read by several at once
  kWrite,    // its keys are its own while it runs
  kBarrier,  // as if it wrote every key
};

// Bits of Command::flags. The first ones have the names that COMMAND INFO shows.
enum CommandFlag : uint32_t {
  kFlagWrite = 1U << 0,     // "write"
  kFlagReadonly = 1U << 1,  // "readonly"
  kFlagDenyOom = 1U << 2,   // "denyoom"
  kFlagAdmin = 1U << 3,     // "admin"
  kFlagNoScript = 1U << 4,  // "noscript"
  kFlagLoading = 1U << 5,   // "loading"
  kFlagStale = 1U << 6,     // "stale"
  kFlagFast = 1U << 7,      // "fast"
  kFlagNoAuth = 1U << 8,    // "no_auth": runs before authentication too
};

struct Command {
  std::string_view name;  // in lower case
  int arity = 0;          // the name counts; negative: at least so many
  uint32_t flags = 0;
  // Positions of keys among the arguments, as COMMAND INFO shows them: 0: no keys; a negative last
  // key counts from the end, -1 being the last argument.
  int first_key = 0;
  int last_key = 0;
  int step = 0;
  Access access = Access::kNone;
  // On its worker's thread. Writes exactly one reply, at once or by Call::Pend().
  void (*handler)(Call&) = nullptr;
  // Of commands that read one key (handler: ReadOne): writes the reply for what was found; for a
  // hit under the lock of its shard: to copy or to pin, nothing else. Else null.
  void (*found)(Reply&, const cache::Found&) = nullptr;
  // Of commands that run where their key is owned: what runs there (see RunAtOwner); else null.
  cache::Result<cluster::CommandReply> (*at_owner)(OwnerCall&) = nullptr;
  // For COMMAND DOCS and docs/commands.md.
  std::string_view summary;
  std::string_view since;      // the Redis version that had it first, or ours
  std::string_view group;      // "string", "connection", "server", ...
  std::string_view arguments;  // "key [key ...]"
};

// Where requests find their row. Immutable; used by all workers at once.
class CommandTable {
 public:
  virtual ~CommandTable() = default;
  // In any case of letters; null if there is none. Called once a request: must not allocate.
  virtual const Command* FindCommand(std::string_view name) const = 0;
};

// Whether a request of `count` arguments, its name included, fits the row.
inline bool FitsArity(const Command& command, size_t count) {
  return command.arity >= 0 ? count == static_cast<size_t>(command.arity)
                            : count >= static_cast<size_t>(-command.arity);
}

// Calls visit(i) for each argument that is a key. REQUIRES: FitsArity.
template <class Visit>
void ForEachKey(const Command& command, size_t count, Visit visit) {
  if (command.first_key <= 0 || command.step <= 0) return;
  if (command.first_key == command.last_key) return visit(static_cast<size_t>(command.first_key));
  const auto size = static_cast<int64_t>(count);
  const int64_t last = command.last_key >= 0 ? command.last_key : size + command.last_key;
  for (int64_t i = command.first_key; i <= last && i < size; i += command.step)
    visit(static_cast<size_t>(i));
}

}  // namespace cistern::server
