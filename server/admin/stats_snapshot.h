// StatsSnapshot: all that a node shows of itself, read at one moment. server/ fills it from the
// workers, the cache and the cluster; the metric table renders it. Plain data, counts since the
// start (or CONFIG RESETSTAT), sizes in bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cache/budget.h"
#include "cache/clock.h"

namespace cistern::server {

// Counts by powers of two of nanoseconds: counts[i] were in [2^(i-1), 2^i) ns, counts[0] were 0;
// the last one has all longer ones, too.
struct LatencyCounts {
  static constexpr size_t kBuckets = 40;
  std::array<uint64_t, kBuckets> counts{};
  uint64_t sum_nanoseconds = 0;

  uint64_t Total() const;
  // The upper end of the bucket that the quantile (0 to 1) lies in, in nanoseconds; 0 if empty.
  uint64_t Quantile(double quantile) const;
};

// One group, summed over the workers. At rest
// gets = hits_main + hits_hot + hits_stale + hits_negative + loads + refused.
struct GroupSnapshot {
  std::string name;
  uint64_t gets = 0;
  uint64_t hits_main = 0;
  uint64_t hits_hot = 0;
  uint64_t hits_stale = 0;
  uint64_t hits_negative = 0;
  uint64_t loads = 0;
  uint64_t loads_deduped = 0;
  uint64_t peer_loads = 0;
  uint64_t peer_errors = 0;
  uint64_t local_loads = 0;
  uint64_t degraded_loads = 0;
  uint64_t local_load_errors = 0;
  uint64_t refused = 0;
  uint64_t server_requests = 0;
  uint64_t evictions_main = 0;
  uint64_t evictions_hot = 0;
  uint64_t expirations = 0;
  uint64_t ghost_hits = 0;
  uint64_t promotions = 0;
  uint64_t reinsertions = 0;
  uint64_t invalidations = 0;
  uint64_t bytes_main = 0;
  uint64_t bytes_hot = 0;
  uint64_t items_main = 0;
  uint64_t items_hot = 0;
};

struct StatsSnapshot {
  std::string node;
  std::string version;
  cache::Duration uptime{0};

  uint64_t connected_clients = 0;
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;  // above server.max_clients, or memory was full
  uint64_t closed_output_limit = 0;
  uint64_t closed_idle = 0;
  uint64_t closed_tls = 0;
  uint64_t closed_unauthenticated = 0;
  uint64_t evicted_clients = 0;  // closed because memory was full
  uint64_t protocol_errors = 0;

  uint64_t commands = 0;
  uint64_t error_replies = 0;
  uint64_t reads = 0;
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;

  uint64_t memory_limit = 0;
  std::array<uint64_t, cache::kChargeKinds> memory{};  // by cache::ChargeKind
  uint64_t loads_in_flight = 0;
  uint64_t peers = 0;            // other nodes that are listed
  uint64_t peers_reachable = 0;  // of those

  LatencyCounts hit;      // sampled: one in 64 batches that were all answered at once
  LatencyCounts forward;  // a request to an owner, until its reply
  LatencyCounts load;     // a load from a backend

  std::vector<GroupSnapshot> groups;
};

}  // namespace cistern::server
