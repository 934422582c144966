// Counters of groups: plain numbers a worker, summed by whoever reads them.
#pragma once

#include <atomic>
#include <cstdint>

namespace cistern::cache {

// Written by one thread, read by any.
class Counter {
 public:
  void Add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  void Reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// groupcache's names, meaning what they say. `gets` counts clients' keys, each classified once when
// its outcome is decided; at rest gets = hits_main + hits_hot + hits_stale + hits_negative + loads
// + refused. What peers ask counts as server_requests only.
struct GroupStats {
  Counter gets;
  Counter hits_main;
  Counter hits_hot;
  Counter hits_stale;
  Counter hits_negative;      // answered "not found" from the cache, at owner or holder
  Counter loads;              // gets that missed
  Counter loads_deduped;      // loads that ran, after single flight
  Counter peer_loads;         // keys asked of an owner, renewals included
  Counter peer_errors;        // of those: the owner could not be asked
  Counter local_loads;        // keys asked of the backend
  Counter degraded_loads;     // of those: because the owner could not be reached
  Counter local_load_errors;  // of those: failed
  Counter refused;            // above a limit
  Counter server_requests;    // keys that peers asked of this node
  Counter invalidations;      // keys invalidated or written here, as their owner
};

}  // namespace cistern::cache
