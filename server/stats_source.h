// StatsSource: gathers what a node shows of itself, from where it is counted.
#pragma once

#include <mutex>
#include <vector>

#include "cache/cache.h"
#include "cluster/cluster.h"
#include "server/acceptor.h"
#include "server/admin/stats_snapshot.h"
#include "server/worker.h"

namespace cistern::server {

// All methods are thread-safe; each takes every shard's lock for a moment, one after the other, so
// none is for the path of a GET.
class StatsSource {
 public:
  struct From {
    const Config& config;
    cache::Cache& cache;
    const cluster::Cluster& cluster;
    std::vector<Worker*> workers;
    const Acceptor& acceptor;
  };

  // All of `from` outlives it.
  explicit StatsSource(From from);

  StatsSnapshot Read() const;
  // Entries that this node holds as their owner, remembered absences included.
  uint64_t MainEntries() const;

  // CONFIG RESETSTAT: what was counted until now is subtracted from then on. The counters
  // themselves go on: each has one writer.
  void Reset();

 private:
  StatsSnapshot ReadAll() const;
  GroupSnapshot ReadGroup(const cache::Group& group) const;
  void AddWorker(const Worker& worker, StatsSnapshot& snapshot) const;

  const From from_;
  const cache::Instant started_;
  mutable std::mutex mutex_;  // guards the next one
  StatsSnapshot before_reset_;
};

}  // namespace cistern::server
