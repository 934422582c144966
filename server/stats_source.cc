#include "server/stats_source.h"

#include "server/version.h"

namespace cistern::server {
namespace {

using cache::Counter;
using cache::GroupStats;
using cache::Histogram;
using cache::Role;

// Each counter of a group and where it is shown.
struct Shown {
  Counter GroupStats::*counter;
  uint64_t GroupSnapshot::*value;
};

constexpr Shown kShown[] = {
    {&GroupStats::gets, &GroupSnapshot::gets},
    {&GroupStats::hits_main, &GroupSnapshot::hits_main},
    {&GroupStats::hits_hot, &GroupSnapshot::hits_hot},
    {&GroupStats::hits_stale, &GroupSnapshot::hits_stale},
    {&GroupStats::hits_negative, &GroupSnapshot::hits_negative},
    {&GroupStats::loads, &GroupSnapshot::loads},
    {&GroupStats::loads_deduped, &GroupSnapshot::loads_deduped},
    {&GroupStats::peer_loads, &GroupSnapshot::peer_loads},
    {&GroupStats::peer_errors, &GroupSnapshot::peer_errors},
    {&GroupStats::local_loads, &GroupSnapshot::local_loads},
    {&GroupStats::degraded_loads, &GroupSnapshot::degraded_loads},
    {&GroupStats::local_load_errors, &GroupSnapshot::local_load_errors},
    {&GroupStats::refused, &GroupSnapshot::refused},
    {&GroupStats::server_requests, &GroupSnapshot::server_requests},
    {&GroupStats::invalidations, &GroupSnapshot::invalidations},
};

void AddHistogram(const Histogram& from, LatencyCounts& to) {
  static_assert(Histogram::kBuckets == LatencyCounts::kBuckets);
  for (size_t i = 0; i < Histogram::kBuckets; ++i)
    to.counts[i] += from.bucket(i);
  to.sum_nanoseconds += from.sum_nanoseconds();
}

// What only grows; the rest of a snapshot is as it is now.
constexpr uint64_t StatsSnapshot::*kNodeCounters[] = {
    &StatsSnapshot::connections_received,
    &StatsSnapshot::connections_rejected,
    &StatsSnapshot::closed_output_limit,
    &StatsSnapshot::closed_idle,
    &StatsSnapshot::closed_tls,
    &StatsSnapshot::closed_unauthenticated,
    &StatsSnapshot::evicted_clients,
    &StatsSnapshot::protocol_errors,
    &StatsSnapshot::commands,
    &StatsSnapshot::error_replies,
    &StatsSnapshot::reads,
    &StatsSnapshot::input_bytes,
    &StatsSnapshot::output_bytes,
};
constexpr uint64_t GroupSnapshot::*kStoreCounters[] = {
    &GroupSnapshot::evictions_main, &GroupSnapshot::evictions_hot, &GroupSnapshot::expirations,
    &GroupSnapshot::ghost_hits,     &GroupSnapshot::promotions,    &GroupSnapshot::reinsertions,
};

void Subtract(const LatencyCounts& base, LatencyCounts& from) {
  for (size_t i = 0; i < LatencyCounts::kBuckets; ++i)
    from.counts[i] -= base.counts[i];
  from.sum_nanoseconds -= base.sum_nanoseconds;
}

void Subtract(const StatsSnapshot& base, StatsSnapshot& from) {
  for (const auto counter : kNodeCounters)
    from.*counter -= base.*counter;
  Subtract(base.hit, from.hit);
  Subtract(base.forward, from.forward);
  Subtract(base.load, from.load);
  for (size_t i = 0; i < base.groups.size(); ++i) {
    for (const Shown& shown : kShown)
      from.groups[i].*shown.value -= base.groups[i].*shown.value;
    for (const auto counter : kStoreCounters)
      from.groups[i].*counter -= base.groups[i].*counter;
  }
}

}  // namespace

StatsSource::StatsSource(From from)
    : from_(std::move(from)), started_(cache::SystemClock().Now()) {}

GroupSnapshot StatsSource::ReadGroup(const cache::Group& group) const {
  GroupSnapshot snapshot;
  snapshot.name = group.name();
  for (size_t worker = 0; worker < group.workers(); ++worker) {
    const GroupStats& stats = group.stats(static_cast<int>(worker));
    for (const Shown& shown : kShown)
      snapshot.*shown.value += (stats.*shown.counter).value();
  }
  const cache::EntryCounts counts = from_.cache.store().Counts(group.index());
  snapshot.items_main = counts.items(Role::kMain);
  snapshot.items_hot = counts.items(Role::kHot);
  snapshot.bytes_main = counts.bytes(Role::kMain);
  snapshot.bytes_hot = counts.bytes(Role::kHot);
  snapshot.evictions_main = counts.evictions(Role::kMain);
  snapshot.evictions_hot = counts.evictions(Role::kHot);
  snapshot.expirations = counts.expirations;
  snapshot.ghost_hits = counts.policy.ghost_hits;
  snapshot.promotions = counts.policy.promotions;
  snapshot.reinsertions = counts.policy.reinsertions;
  return snapshot;
}

void StatsSource::AddWorker(const Worker& worker, StatsSnapshot& snapshot) const {
  const WorkerStats& stats = worker.stats();
  snapshot.connected_clients += worker.clients();
  snapshot.connections_received += stats.connections.value();
  snapshot.closed_output_limit += stats.closed_output_limit.value();
  snapshot.closed_idle += stats.closed_idle.value();
  snapshot.closed_tls += stats.closed_tls.value();
  snapshot.closed_unauthenticated += stats.closed_unauthenticated.value();
  snapshot.evicted_clients += stats.evicted_clients.value();
  snapshot.connections_rejected += stats.refused_connections.value();
  snapshot.protocol_errors += stats.protocol_errors.value();
  snapshot.commands += stats.commands.value();
  snapshot.error_replies += stats.error_replies.value();
  snapshot.reads += stats.reads.value();
  snapshot.input_bytes += stats.input_bytes.value();
  snapshot.output_bytes += stats.output_bytes.value();
  AddHistogram(stats.hit_batches, snapshot.hit);
}

StatsSnapshot StatsSource::ReadAll() const {
  StatsSnapshot snapshot;
  snapshot.node = from_.config.node.name;
  snapshot.version = kVersion;
  snapshot.uptime = cache::SystemClock().Now() - started_;
  for (const Worker* worker : from_.workers)
    AddWorker(*worker, snapshot);
  snapshot.connections_rejected += from_.acceptor.rejected();
  snapshot.memory_limit = from_.cache.store().limit();
  for (size_t kind = 0; kind < cache::kChargeKinds; ++kind)
    snapshot.memory[kind] = from_.cache.store().used(static_cast<cache::ChargeKind>(kind));
  snapshot.loads_in_flight = from_.cache.LoadsInFlight();
  for (const cluster::MemberState& member : from_.cluster.Members()) {
    if (member.is_self) continue;
    ++snapshot.peers;
    if (member.is_connected) ++snapshot.peers_reachable;
  }
  for (const auto& group : from_.cache.groups()) {
    snapshot.groups.push_back(ReadGroup(*group));
    for (size_t worker = 0; worker < group->workers(); ++worker) {
      const cache::GroupLatencies& latencies = group->latencies(static_cast<int>(worker));
      AddHistogram(latencies.forward, snapshot.forward);
      AddHistogram(latencies.load, snapshot.load);
    }
  }
  return snapshot;
}

uint64_t StatsSource::MainEntries() const {
  uint64_t sum = 0;
  for (const auto& group : from_.cache.groups())
    sum += from_.cache.store().Counts(group->index()).items(Role::kMain);
  return sum;
}

StatsSnapshot StatsSource::Read() const {
  // Read under the lock: a base of a later moment would be more than what is read.
  const std::lock_guard lock(mutex_);
  StatsSnapshot snapshot = ReadAll();
  Subtract(before_reset_, snapshot);
  return snapshot;
}

void StatsSource::Reset() {
  const std::lock_guard lock(mutex_);
  before_reset_ = ReadAll();
}

}  // namespace cistern::server
