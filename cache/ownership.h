// Ownership: what becomes of what this node holds when the table of owners changes.
#pragma once

#include <functional>

#include "cache/context.h"
#include "cache/owner_change.h"

namespace cistern::cache {

// A slot that is lost may come back, and what was held of it must not: another node has owned it
// meanwhile. So a table takes effect in this order:
//   1. hits in the main cache begin to ask who owns them;
//   2. the table is published; whoever starts a flight, keeps or changes something asks again under
//      the shard's lock, so that nothing of a lost slot comes into a shard from here on;
//   3. copies and requests for them, had of former owners, become invalid (watermark of copies);
//   4. (the caller) the table is shown to peers;
//   5. a sweep drops entries and detaches flights of lost slots, then hits ask nobody any more.
// The next change waits for the end of the sweep: so no slot needs a stamp of when it was gained.
class Ownership {
 public:
  explicit Ownership(Context& context) : context_(context) {}

  // Steps 1 to 3, inside the call, and 5 on `sweeper`. REQUIRES: the last change has been swept.
  // (thread-safe)
  void Change(Executor& sweeper, OwnerChange change);
  // Another node has begun to claim slots that this one owns (Pick::disputed): what is held of them
  // ends after the group's hot_lease, at the latest. What comes later is kept no longer by those
  // who keep it. (thread-safe)
  void CutDisputed(Executor& sweeper);

 private:
  void SweepLost(Executor& sweeper, std::function<void()> swept);

  Context& context_;
};

}  // namespace cistern::cache
