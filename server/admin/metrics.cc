#include "server/admin/metrics.h"

#include <array>
#include <numeric>

namespace cistern::server {
namespace {

using enum MetricKind;
using Node = const StatsSnapshot&;
using cache::ChargeKind;

template <uint64_t StatsSnapshot::*kMember>
uint64_t Of(const StatsSnapshot& snapshot) {
  return snapshot.*kMember;
}

template <uint64_t GroupSnapshot::*kMember>
uint64_t OfGroup(const GroupSnapshot& group) {
  return group.*kMember;
}

template <ChargeKind kKind>
uint64_t Memory(const StatsSnapshot& snapshot) {
  return snapshot.memory[static_cast<size_t>(kKind)];
}

// Sums some of the groups' counters.
template <uint64_t GroupSnapshot::*... kMembers>
uint64_t Sum(const StatsSnapshot& snapshot) {
  uint64_t sum = 0;
  for (const GroupSnapshot& group : snapshot.groups)
    sum += ((group.*kMembers) + ...);
  return sum;
}

template <LatencyCounts StatsSnapshot::*kMember>
const LatencyCounts& Latency(const StatsSnapshot& snapshot) {
  return snapshot.*kMember;
}

using S = StatsSnapshot;
using G = GroupSnapshot;

// Where Redis has a name, INFO uses it: dashboards look for it.
// clang-format off
constexpr auto kMetrics = std::to_array<Metric>({
  {"uptime_seconds", "", "uptime_in_seconds", "server", kGauge,
   [](Node s) { return static_cast<uint64_t>(std::chrono::floor<std::chrono::seconds>(s.uptime).count()); },
   "Seconds since this node started."},

  {"connected_clients", "", "connected_clients", "clients", kGauge, Of<&S::connected_clients>,
   "Clients connected now."},

  {"memory_limit_bytes", "", "maxmemory", "memory", kGauge, Of<&S::memory_limit>,
   "Bytes that server.memory allows."},
  {"memory_used_total_bytes", "", "used_memory", "memory", kGauge,
   [](Node s) { return std::accumulate(s.memory.begin(), s.memory.end(), uint64_t{0}); },
   "Bytes in use, all kinds together."},

  {"memory_used_bytes", "kind=entries", "used_memory_entries", "memory", kGauge, Memory<ChargeKind::kEntries>,
   "Bytes in use: entries with keys and small values, large values, clients' buffers, loads under way, records of leases, peers' buffers."},
  {"memory_used_bytes", "kind=values", "used_memory_values", "memory", kGauge, Memory<ChargeKind::kValues>, ""},
  {"memory_used_bytes", "kind=clients", "used_memory_clients", "memory", kGauge, Memory<ChargeKind::kClients>, ""},
  {"memory_used_bytes", "kind=flights", "used_memory_flights", "memory", kGauge, Memory<ChargeKind::kFlights>, ""},
  {"memory_used_bytes", "kind=holders", "used_memory_holders", "memory", kGauge, Memory<ChargeKind::kHolders>, ""},
  {"memory_used_bytes", "kind=peers", "used_memory_peers", "memory", kGauge, Memory<ChargeKind::kPeers>, ""},
  {"connections_received_total", "", "total_connections_received", "stats", kCounter, Of<&S::connections_received>,
   "Clients that have connected."},
  {"connections_rejected_total", "", "rejected_connections", "stats", kCounter, Of<&S::connections_rejected>,
   "Clients turned away because server.max_clients were connected, or memory was full."},
  {"clients_closed_total", "reason=output_limit", "closed_output_limit", "stats", kCounter, Of<&S::closed_output_limit>,
   "Clients closed by this node: they did not read their replies, were idle, did not authenticate, cost most when memory was full, or sent what is no request."},
  {"clients_closed_total", "reason=idle", "closed_idle", "stats", kCounter, Of<&S::closed_idle>, ""},
  {"clients_closed_total", "reason=tls", "closed_tls", "stats", kCounter, Of<&S::closed_tls>, ""},
  {"clients_closed_total", "reason=unauthenticated", "closed_unauthenticated", "stats", kCounter, Of<&S::closed_unauthenticated>, ""},
  {"clients_closed_total", "reason=memory", "evicted_clients", "stats", kCounter, Of<&S::evicted_clients>, ""},
  {"clients_closed_total", "reason=protocol", "closed_protocol", "stats", kCounter, Of<&S::protocol_errors>, ""},
  {"commands_total", "", "total_commands_processed", "stats", kCounter, Of<&S::commands>,
   "Requests answered or begun, refused ones included."},
  {"error_replies_total", "", "total_error_replies", "stats", kCounter, Of<&S::error_replies>,
   "Requests refused for what they were: unknown commands, wrong arguments, no authentication."},
  {"reads_total", "", "total_reads_processed", "stats", kCounter, Of<&S::reads>,
   "Reads from clients that brought bytes; commands per read are the depth of pipelines."},
  {"input_bytes_total", "", "total_net_input_bytes", "stats", kCounter, Of<&S::input_bytes>,
   "Bytes read from clients."},
  {"output_bytes_total", "", "total_net_output_bytes", "stats", kCounter, Of<&S::output_bytes>,
   "Bytes of replies handed to clients' sockets."},
  {"keyspace_hits_total", "", "keyspace_hits", "stats", kCounter, Sum<&G::hits_main, &G::hits_hot, &G::hits_stale, &G::hits_negative>,
   "Keys answered from this node's memory, all groups together."},
  {"keyspace_misses_total", "", "keyspace_misses", "stats", kCounter, Sum<&G::loads>,
   "Keys that had to be loaded, all groups together."},
  {"expired_keys_total", "", "expired_keys", "stats", kCounter, Sum<&G::expirations>,
   "Entries whose time ran out, all groups together."},
  {"evicted_keys_total", "", "evicted_keys", "stats", kCounter, Sum<&G::evictions_main, &G::evictions_hot>,
   "Entries that made room for others, all groups together."},
  {"loads_in_flight", "", "loads_in_flight", "stats", kGauge, Of<&S::loads_in_flight>,
   "Loads under way now, from backends and owners."},

  {"peers", "", "peers", "cluster", kGauge, Of<&S::peers>,
   "Other nodes of the cluster."},
  {"peers_reachable", "", "peers_reachable", "cluster", kGauge, Of<&S::peers_reachable>,
   "Other nodes of the cluster that this one hears."},

  {"hit_seconds", "", "hit", "latency", kHistogram, Latency<&S::hit>,
   "Seconds from a read's return to its write's, of one in 64 batches that were answered from memory."},
  {"forward_seconds", "", "forward", "latency", kHistogram, Latency<&S::forward>,
   "Seconds from asking a key's owner to its reply."},
  {"load_seconds", "", "load", "latency", kHistogram, Latency<&S::load>,
   "Seconds that loads from backends took."},

  {"gets_total", "", "gets", "groups", kCounter, OfGroup<&G::gets>,
   "Keys that clients asked for; at rest the sum of hits, loads and refused."},
  {"hits_total", "kind=main", "hits_main", "groups", kCounter, OfGroup<&G::hits_main>,
   "Keys answered from memory: owned here, leased copies, past their time, known not to exist."},
  {"hits_total", "kind=hot", "hits_hot", "groups", kCounter, OfGroup<&G::hits_hot>, ""},
  {"hits_total", "kind=stale", "hits_stale", "groups", kCounter, OfGroup<&G::hits_stale>, ""},
  {"hits_total", "kind=negative", "hits_negative", "groups", kCounter, OfGroup<&G::hits_negative>, ""},
  {"loads_total", "", "loads", "groups", kCounter, OfGroup<&G::loads>,
   "Keys that clients asked for and that were not in memory."},
  {"loads_deduped_total", "", "loads_deduped", "groups", kCounter, OfGroup<&G::loads_deduped>,
   "Loads that ran, after single flight: the rest of loads waited for one of these."},
  {"peer_loads_total", "", "peer_loads", "groups", kCounter, OfGroup<&G::peer_loads>,
   "Keys asked of their owners."},
  {"peer_errors_total", "", "peer_errors", "groups", kCounter, OfGroup<&G::peer_errors>,
   "Keys whose owner could not be asked."},
  {"local_loads_total", "", "local_loads", "groups", kCounter, OfGroup<&G::local_loads>,
   "Keys asked of the backend."},
  {"degraded_loads_total", "", "degraded_loads", "groups", kCounter, OfGroup<&G::degraded_loads>,
   "Keys asked of the backend because their owner could not be reached."},
  {"local_load_errors_total", "", "local_load_errors", "groups", kCounter, OfGroup<&G::local_load_errors>,
   "Keys that the backend failed to answer."},
  {"refused_total", "", "refused", "groups", kCounter, OfGroup<&G::refused>,
   "Keys answered with OVERLOAD."},
  {"server_requests_total", "", "server_requests", "groups", kCounter, OfGroup<&G::server_requests>,
   "Keys that other nodes asked this one for."},
  {"evictions_total", "cache=main", "evictions_main", "groups", kCounter, OfGroup<&G::evictions_main>,
   "Entries that made room for others."},
  {"evictions_total", "cache=hot", "evictions_hot", "groups", kCounter, OfGroup<&G::evictions_hot>, ""},
  {"expirations_total", "", "expirations", "groups", kCounter, OfGroup<&G::expirations>,
   "Entries whose time ran out."},
  {"ghost_hits_total", "", "ghost_hits", "groups", kCounter, OfGroup<&G::ghost_hits>,
   "Entries kept again soon after they had been evicted: many of them, and the room is too small."},
  {"promotions_total", "", "promotions", "groups", kCounter, OfGroup<&G::promotions>,
   "Newcomers that were hit and stay: few of them, and most of what comes is asked for once."},
  {"reinsertions_total", "", "reinsertions", "groups", kCounter, OfGroup<&G::reinsertions>,
   "Entries spared when their turn to be evicted came, because they had been hit."},
  {"invalidations_total", "", "invalidations", "groups", kCounter, OfGroup<&G::invalidations>,
   "Keys deleted or written here, as their owner."},
  {"bytes", "cache=main", "bytes_main", "groups", kGauge, OfGroup<&G::bytes_main>,
   "Bytes that entries are charged."},
  {"bytes", "cache=hot", "bytes_hot", "groups", kGauge, OfGroup<&G::bytes_hot>, ""},
  {"items", "cache=main", "items_main", "groups", kGauge, OfGroup<&G::items_main>,
   "Entries."},
  {"items", "cache=hot", "items_hot", "groups", kGauge, OfGroup<&G::items_hot>, ""},
});
// clang-format on

}  // namespace

std::span<const Metric> MetricTable() {
  return kMetrics;
}

}  // namespace cistern::server
