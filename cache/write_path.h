// WritePath: invalidations and writes at the owner: the one place where a key's value ends.
#pragma once

#include <functional>
#include <optional>
#include <span>
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

// A change that holders of leased copies must hear of before it is answered.
struct Recalled {
  std::string key;
  uint64_t sequence = 0;
  std::vector<Holder> holders;  // at least one
};
using Recalls = std::vector<Recalled>;

// REQUIRES everywhere: this node owns the keys. In one critical section the entry changes, the
// key's flights are detached and its lease holders listed. The change is made when the call
// returns; its result may be told at once when `recalls` is empty, else when Confirm() says so.
class WritePath {
 public:
  explicit WritePath(Context& context) : context_(context) {}

  // The number of entries that were there (negative ones do not count). An absent key is
  // invalidated all the same: a flight or a copy of it may be under way. (thread-safe)
  int64_t Invalidate(std::span<const std::string> keys, Recalls* recalls);
  // Whether it was stored (false: the condition did not hold). (thread-safe)
  Result<bool> Set(Group& group, const SetRequest& request, Recalls* recalls);

  // Tells all holders. Calls `confirmed` once each has acknowledged or its lease has run out: on
  // `executor`'s thread, and inside this call when there is nobody to tell.
  void Confirm(Executor& executor, Recalls recalls, std::function<void()> confirmed);

 private:
  // Under the shard's lock, together with the change of the entry.
  static void Begin(Shard& shard, std::string_view key, Instant now, Recalls* recalls);

  Context& context_;
};

}  // namespace cistern::cache
