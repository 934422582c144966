// Group: one namespace of keys: its configuration, its backend, its limits and its counters.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/backend_health.h"
#include "cache/group_config.h"
#include "cache/histogram.h"
#include "cache/origin.h"
#include "cache/snapshots.h"
#include "cache/stats.h"

namespace cistern::cache {

struct GroupLatencies {
  Histogram forward;  // a request to an owner, from its sending to its reply
  Histogram load;     // a load from the backend
};

class Group {
 public:
  Group(uint16_t index, GroupConfig config, std::unique_ptr<Origin> origin,
        BackendHealth::Listener on_health, int workers)
      : index_(index),
        config_(std::move(config)),
        origin_(std::move(origin)),
        health_(std::move(on_health)),
        stats_(workers) {}

  uint16_t index() const { return index_; }
  // Valid as long as the group. (thread-safe)
  const GroupConfig& config() const { return config_.now(); }
  // From now on: with the same name, prefix, backend and shares of memory. By one thread at a time.
  void Reconfigure(GroupConfig config) {
    config_.Publish(std::make_unique<const GroupConfig>(std::move(config)));
  }
  const std::string& name() const { return config().name; }
  Origin& origin() { return *origin_; }
  BackendHealth& health() { return health_; }
  bool hot() const { return config().hot_sample > 0; }

  // What the backend is asked for.
  std::string_view BackendKey(std::string_view key) const {
    return config().strip_prefix ? key.substr(config().prefix.size()) : key;
  }

  // A place among the loads under way; false above max_loads. (thread-safe)
  bool TryStartLoad() { return TryAdd(&loads_, config().max_loads); }
  void EndLoad() { loads_.fetch_sub(1, std::memory_order_relaxed); }
  // A place among those who wait; false above max_waiters. (thread-safe)
  bool TryWait() { return TryAdd(&waiters_, config().max_waiters); }
  void EndWaits(uint32_t n) { waiters_.fetch_sub(n, std::memory_order_relaxed); }
  uint32_t loads_in_flight() const { return loads_.load(std::memory_order_relaxed); }
  uint32_t waiting() const { return waiters_.load(std::memory_order_relaxed); }

  // Of one worker: written by its thread only.
  GroupStats& stats(int worker) { return stats_[worker].stats; }
  GroupLatencies& latencies(int worker) { return stats_[worker].latencies; }
  const GroupStats& stats(int worker) const { return stats_[worker].stats; }
  const GroupLatencies& latencies(int worker) const { return stats_[worker].latencies; }
  size_t workers() const { return stats_.size(); }

 private:
  struct alignas(64) WorkerStats {
    GroupStats stats;
    GroupLatencies latencies;
  };

  static bool TryAdd(std::atomic<uint32_t>* count, uint32_t limit) {
    if (count->fetch_add(1, std::memory_order_relaxed) < limit) return true;
    count->fetch_sub(1, std::memory_order_relaxed);
    return false;
  }

  const uint16_t index_;
  Snapshots<GroupConfig> config_;
  const std::unique_ptr<Origin> origin_;
  BackendHealth health_;
  std::atomic<uint32_t> loads_{0};
  std::atomic<uint32_t> waiters_{0};
  std::vector<WorkerStats> stats_;
};

}  // namespace cistern::cache
