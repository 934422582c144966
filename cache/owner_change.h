// OwnerChange: a new table of owners, on its way into force.
#pragma once

#include <functional>

#include "cache/clock.h"

namespace cistern::cache {

// As PeerPicker's implementation asks for it (see Ownership).
struct OwnerChange {
  bool gains = false;         // this node owns slots that it did not own before
  Duration longest_lease{0};  // that their former owners may have granted
  // Makes the new table the one that Owner() reads.
  std::function<void()> publish;
  // What this node owns no more is gone: only then may the table change again. On a worker.
  std::function<void()> swept;
};

}  // namespace cistern::cache
