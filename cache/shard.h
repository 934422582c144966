// Shard: one lock, and everything that it makes one critical section of.
#pragma once

#include <functional>
#include <mutex>
#include <string_view>

#include "cache/entry_table.h"
#include "cache/flight.h"
#include "cache/forward.h"
#include "cache/hold_off.h"
#include "cache/holders.h"
#include "cache/shard_lock.h"

namespace cistern::cache {

// The entry, the flights and the lease holders of a key share their shard's lock, so
// look-again-and-start, check-and-store-and-grant, and erase-and-detach-and-list-holders are each
// one critical section, and the fence between loads and invalidations needs no generation a key.
// Nothing calls out under the lock.
struct alignas(64) Shard {
  Shard(const EntryTable::Context& context, size_t holders_capacity, const Grace& grace,
        size_t hold_off_slots)
      : entries(context),
        holders(context.accounts[0]->budget, holders_capacity, grace),
        hold_off(context.accounts[0]->budget, hold_off_slots) {}

  ShardLock mutex;
  EntryTable entries;
  Holders holders;
  HoldOff hold_off;
  Flights flights;          // of what this node owns
  ForwardTable to_peer;     // of what others own: asked of the owner
  ForwardTable to_backend;  // ... asked of the backend, because a peer asked this node
  ForwardTable degraded;    // ... asked of the backend, because the owner cannot be reached

  // Detaches every flight of the key, in any role.
  void DetachAll(std::string_view key);
  // Likewise every flight of which detach(key) is true.
  void DetachIf(const std::function<bool(std::string_view)>& detach);
  // Takes out everybody who waits here. The flights land later, for nobody.
  Waiters TakeWaiters();
};

}  // namespace cistern::cache
