// The one table of what a node shows of itself. /metrics, /stats and INFO are rendered from it;
// there is no second list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "server/admin/stats_snapshot.h"

namespace cistern::server {

enum class MetricKind : uint8_t {
  kCounter,  // only grows, but for a restart and CONFIG RESETSTAT
  kGauge,
  kHistogram,
};

// Where a metric's value stands: once a node, once a group, or as a distribution.
using NodeValue = uint64_t (*)(const StatsSnapshot&);
using GroupValue = uint64_t (*)(const GroupSnapshot&);
using LatencyValue = const LatencyCounts& (*)(const StatsSnapshot&);

struct Metric {
  // Of the family in /metrics, behind "cistern_". Rows of one family stand together, and differ by
  // `label`; the first one's sentence is the family's.
  std::string_view family;
  std::string_view label;    // "cache=main", or empty
  std::string_view info;     // its name in INFO and /stats
  std::string_view section;  // of INFO, in lower case
  MetricKind kind;
  std::variant<NodeValue, GroupValue, LatencyValue> value;
  std::string_view help;  // one sentence with its unit
};

std::span<const Metric> MetricTable();

// The text of /metrics, in Prometheus's format 0.0.4.
std::string PrometheusText(const StatsSnapshot& snapshot);

// The text of /stats: a JSON object of "node", "version", one object a section of INFO, and
// "groups", one object a group by its name.
std::string StatsJson(const StatsSnapshot& snapshot);

// The table's part of a section of INFO, "name:value\r\n" lines without the heading; empty for
// sections that it has nothing for. In "groups" each group has a line, "users:gets=5,...", whose
// name has '_' for what would break it.
std::string InfoLines(const StatsSnapshot& snapshot, std::string_view section);

}  // namespace cistern::server
