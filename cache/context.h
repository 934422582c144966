// Context: what the flows of one node's cache share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "cache/executor.h"
#include "cache/group.h"
#include "cache/peer_picker.h"
#include "cache/store.h"

namespace cistern::cache {

struct Context {
  const std::vector<std::unique_ptr<Group>>& groups;
  Store& store;
  PeerPicker& picker;
  const Clock& clock;

  // By the table of owners that holds now. (thread-safe)
  bool Owns(std::string_view key) const { return picker.Owner(key).is_self; }

  // Takes a place among the group's loads, which EndLoad() gives back; or says which bound is
  // reached. (thread-safe)
  std::optional<Error> StartLoad(Group& group);

  // True one time in `n`, by the executor's own generator. REQUIRES: n > 0; executor's thread.
  bool OneIn(Executor& executor, uint32_t n) { return Random(executor)() % n == 0; }
  // From 0 to 1.
  double Fraction(Executor& executor) {
    return static_cast<double>(Random(executor)()) / static_cast<double>(std::minstd_rand::max());
  }

  std::vector<std::minstd_rand> random;  // by worker
  // This node is stopping: it changes nothing and lends nothing any more, since the others will
  // soon act without it.
  std::atomic<bool> leaving{false};
  // Entries may be there that this node owns no more: who hits one asks (see Ownership).
  std::atomic<bool> owners_change{false};

 private:
  std::minstd_rand& Random(Executor& executor) { return random[executor.index()]; }
};

// How a GET that missed went on.
enum class GetOutcome : uint8_t {
  kHit,       // found at the second look
  kNegative,  // ... "not found", from the cache
  kHotHit,    // ... in a leased copy
  kLoad,      // joined or started a load
  kRefused,   // above a limit of the group
};

}  // namespace cistern::cache
