// Origin: what a group is filled from. loader/ implements it, one class a backend.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/blob.h"
#include "cache/completion.h"
#include "cache/error.h"

namespace cistern::cache {

// What one load of one key brought.
struct Loaded {
  BlobPtr value;                // null: the backend has no such key. An empty value is a value.
  std::optional<Duration> ttl;  // the source's own, if it has one; else the group's holds
  std::string version;          // the source's own (row version, ETag); may be empty
};

// One backend of one group, used by all workers: per-worker connections are found by
// executor.index(). Owned by the group; outlives every load that it was asked for.
class Origin {
 public:
  virtual ~Origin() = default;

  // Loads `key` (already stripped of its prefix where the group says so; valid during this call
  // only). Completes `done` exactly once, from any thread, never inside this call: value, not
  // found, or an error of code kBackend, also when the backend hangs (its own timeout) or the node
  // stops. The load enters a query that has not been sent yet: what was read before this call must
  // not answer it. While queued it is dropped if nobody waits any more (!done->pending()). Called
  // on `executor`'s thread, once a missing key: keys of one loop turn may share one query.
  virtual void Load(Executor& executor, std::string_view key,
                    CompletionPtr<Result<Loaded>> done) = 0;

  // The node stops: completes every load with kShutdown, later ones too, and closes what it keeps
  // on the executors. Called while the executors still run; idempotent. (thread-safe)
  virtual void Shutdown() {}
};

}  // namespace cistern::cache
