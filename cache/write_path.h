// WritePath: invalidations and writes at the owner: the one place where a key's value ends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/context.h"

namespace cistern::cache {

enum class SetCondition : uint8_t { kAlways, kIfAbsent, kIfPresent };

struct SetRequest {
  std::string key;
  BlobPtr value;
  std::optional<Duration> ttl;  // absent: the group's
  SetCondition condition = SetCondition::kAlways;
};

// REQUIRES everywhere: this node owns the keys; `executor`'s thread. Completions never run inside
// the call. In one critical section the entry changes, the key's flights are detached and its lease
// holders listed; the answer leaves when each holder has acknowledged or its lease has run out.
class WritePath {
 public:
  explicit WritePath(Context& context) : context_(context) {}

  // Completes with the number of entries that were there (negative ones do not count). An absent
  // key is invalidated all the same: a flight or a copy of it may be under way.
  void Invalidate(Executor& executor, std::vector<std::string> keys,
                  CompletionPtr<Result<int64_t>> done);
  // Completes with whether it was stored (false: the condition did not hold).
  void Set(Executor& executor, Group& group, SetRequest request, CompletionPtr<Result<bool>> done);

 private:
  struct Change;  // what the critical section leaves to do outside it

  Context& context_;
};

}  // namespace cistern::cache
