#include "server/info.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "server/admin/metrics.h"
#include "server/arguments.h"
#include "server/memory_trimmer.h"
#include "server/version.h"

namespace cistern::server {
namespace {

struct Source {
  const StatsSnapshot& snapshot;
  const InfoFacts& facts;
};

std::string Human(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "K", "M", "G", "T"};
  auto shown = static_cast<double>(bytes);
  size_t unit = 0;
  for (; shown >= 1024 && unit + 1 < std::size(kUnits); ++unit)
    shown /= 1024;
  return unit == 0 ? fmt::format("{}B", bytes) : fmt::format("{:.2f}{}", shown, kUnits[unit]);
}

std::string Server(const Source& from) {
  utsname os{};
  const std::string system =
      uname(&os) == 0 ? fmt::format("{} {} {}", os.sysname, os.release, os.machine) : "unknown";
  const auto days = std::chrono::floor<std::chrono::days>(from.snapshot.uptime).count();
  return fmt::format(
      "redis_version:{}\r\nredis_mode:standalone\r\ncistern_version:{}\r\nserver_name:cistern\r\n"
      "cistern_node:{}\r\nos:{}\r\narch_bits:64\r\nprocess_id:{}\r\nrun_id:{}\r\ntcp_port:{}\r\n"
      "uptime_in_days:{}\r\n",
      kRedisVersion, kVersion, from.snapshot.node, system, getpid(), from.facts.run_id,
      from.facts.tcp_port, days);
}

std::string Clients(const Source& from) {
  return fmt::format("maxclients:{}\r\nblocked_clients:0\r\n", from.facts.max_clients);
}

std::string Memory(const Source& from) {
  const auto& memory = from.snapshot.memory;
  const uint64_t used = std::accumulate(memory.begin(), memory.end(), uint64_t{0});
  const uint64_t resident = ResidentBytes();
  return fmt::format(
      "used_memory_human:{}\r\nused_memory_rss:{}\r\nused_memory_rss_human:{}\r\n"
      "maxmemory_human:{}\r\nmaxmemory_policy:allkeys-{}\r\n",
      Human(used), resident, Human(resident), Human(from.snapshot.memory_limit), from.facts.policy);
}

// Nothing is ever loaded before clients are served.
std::string Persistence(const Source&) {
  return "loading:0\r\nrdb_changes_since_last_save:0\r\naof_enabled:0\r\n";
}

std::string Replication(const Source&) {
  return "role:master\r\nconnected_slaves:0\r\nmaster_repl_offset:0\r\n";
}

std::string Cluster(const Source& from) {
  // Plain clients, which this is for, must not think of Redis Cluster.
  std::string lines = fmt::format("cluster_enabled:0\r\nepoch:{:016x}\r\n", from.facts.epoch);
  for (size_t i = 0; i < from.facts.members.size(); ++i) {
    const cluster::MemberState& state = from.facts.members[i];
    const std::string_view seen =
        state.is_self ? "self" : (state.is_connected ? "reachable" : "unreachable");
    lines +=
        fmt::format("node_{}:state={},peer={},client={},weight={},slots={}\r\n", state.member.name,
                    seen, state.member.peer, state.member.client, state.member.weight,
                    i < from.facts.slots.size() ? from.facts.slots[i] : 0);
  }
  return lines;
}

std::string Keyspace(const Source& from) {
  uint64_t keys = 0;
  for (const GroupSnapshot& group : from.snapshot.groups)
    keys += group.items_main;
  return keys == 0 ? "" : fmt::format("db0:keys={},expires=0,avg_ttl=0\r\n", keys);
}

std::string NothingMore(const Source&) {
  return "";
}

struct Section {
  std::string_view name;
  std::string_view heading;
  std::string (*lines)(const Source&);  // those that are not in the metric table
};

constexpr Section kSections[] = {
    {"server", "Server", Server},        {"clients", "Clients", Clients},
    {"memory", "Memory", Memory},        {"persistence", "Persistence", Persistence},
    {"stats", "Stats", NothingMore},     {"replication", "Replication", Replication},
    {"latency", "Latency", NothingMore}, {"groups", "Groups", NothingMore},
    {"cluster", "Cluster", Cluster},     {"keyspace", "Keyspace", Keyspace},
};

bool IsWanted(const Section& section, std::span<const std::string_view> names) {
  if (names.empty()) return true;
  return std::any_of(names.begin(), names.end(), [&section](std::string_view name) {
    return EqualsIgnoringCase(name, section.name) || EqualsIgnoringCase(name, "default") ||
           EqualsIgnoringCase(name, "all") || EqualsIgnoringCase(name, "everything");
  });
}

}  // namespace

std::string InfoText(const StatsSnapshot& snapshot, const InfoFacts& facts,
                     std::span<const std::string_view> names) {
  std::string text;
  for (const Section& section : kSections) {
    if (!IsWanted(section, names)) continue;
    if (!text.empty()) text += "\r\n";
    text += fmt::format("# {}\r\n", section.heading);
    // The table's lines first: clients look for the first "used_memory", which others begin with.
    text += InfoLines(snapshot, section.name);
    text += section.lines({snapshot, facts});
  }
  return text;
}

}  // namespace cistern::server
