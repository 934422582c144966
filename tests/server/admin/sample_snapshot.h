// A snapshot in which every value is another one.
#pragma once

#include "server/admin/stats_snapshot.h"

namespace cistern::server {

inline GroupSnapshot SampleGroup(const std::string& name, uint64_t base) {
  GroupSnapshot group;
  group.name = name;
  for (uint64_t GroupSnapshot::*member :
       {&GroupSnapshot::gets,           &GroupSnapshot::hits_main,
        &GroupSnapshot::hits_hot,       &GroupSnapshot::hits_stale,
        &GroupSnapshot::hits_negative,  &GroupSnapshot::loads,
        &GroupSnapshot::loads_deduped,  &GroupSnapshot::peer_loads,
        &GroupSnapshot::peer_errors,    &GroupSnapshot::local_loads,
        &GroupSnapshot::degraded_loads, &GroupSnapshot::local_load_errors,
        &GroupSnapshot::refused,        &GroupSnapshot::server_requests,
        &GroupSnapshot::evictions_main, &GroupSnapshot::evictions_hot,
        &GroupSnapshot::expirations,    &GroupSnapshot::invalidations,
        &GroupSnapshot::bytes_main,     &GroupSnapshot::bytes_hot,
        &GroupSnapshot::items_main,     &GroupSnapshot::items_hot}) {
    group.*member = base++;
  }
  return group;
}

inline StatsSnapshot SampleSnapshot() {
  StatsSnapshot snapshot;
  snapshot.node = "a";
  snapshot.version = "0.1.0";
  snapshot.uptime = std::chrono::milliseconds(12900);
  uint64_t value = 1001;
  for (uint64_t StatsSnapshot::*member :
       {&StatsSnapshot::connected_clients, &StatsSnapshot::connections_received,
        &StatsSnapshot::connections_rejected, &StatsSnapshot::closed_output_limit,
        &StatsSnapshot::closed_idle, &StatsSnapshot::protocol_errors, &StatsSnapshot::commands,
        &StatsSnapshot::error_replies, &StatsSnapshot::reads, &StatsSnapshot::input_bytes,
        &StatsSnapshot::output_bytes, &StatsSnapshot::memory_limit, &StatsSnapshot::loads_in_flight,
        &StatsSnapshot::peers, &StatsSnapshot::peers_reachable}) {
    snapshot.*member = value++;
  }
  for (uint64_t& bytes : snapshot.memory)
    bytes = value++;
  snapshot.closed_tls = value++;
  snapshot.closed_unauthenticated = value++;
  snapshot.evicted_clients = value++;
  snapshot.hit.counts[11] = 90;  // 1 to 2 µs
  snapshot.hit.counts[14] = 10;  // 8 to 16 µs
  snapshot.hit.sum_nanoseconds = 250'000;
  snapshot.forward.counts[18] = 7;
  snapshot.load.counts[24] = 3;
  snapshot.groups = {SampleGroup("users", 2001), SampleGroup("products", 3001)};
  return snapshot;
}

}  // namespace cistern::server
