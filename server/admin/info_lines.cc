// metrics.h's rendering for INFO.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "server/admin/metrics.h"

namespace cistern::server {
namespace {

constexpr double kMicrosecond = 1e3;  // nanoseconds

// A line is "name:field=value,...": none of these, and no byte that ends it, may be in a name.
std::string LineName(std::string name) {
  std::ranges::replace_if(
      name,
      [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == ':' || c == ',' || c == '=';
      },
      '_');
  return name;
}

std::string LatencyLine(std::string_view name, const LatencyCounts& latency) {
  const auto micros = [&](double quantile) {
    return static_cast<double>(latency.Quantile(quantile)) / kMicrosecond;
  };
  return fmt::format("{}:count={},p50_usec={:.3f},p99_usec={:.3f},p999_usec={:.3f}\r\n", name,
                     latency.Total(), micros(0.5), micros(0.99), micros(0.999));
}

// Gathers whole lines, and the groups' lines field by field.
struct AddToInfo {
  const Metric& metric;
  const StatsSnapshot& snapshot;
  std::string& lines;
  std::vector<std::string>& group_lines;

  void operator()(NodeValue value) const {
    lines += fmt::format("{}:{}\r\n", metric.info, value(snapshot));
  }
  void operator()(LatencyValue value) const { lines += LatencyLine(metric.info, value(snapshot)); }
  void operator()(GroupValue value) const {
    for (size_t i = 0; i < snapshot.groups.size(); ++i) {
      const std::string_view comma = group_lines[i].ends_with(':') ? "" : ",";
      group_lines[i] += fmt::format("{}{}={}", comma, metric.info, value(snapshot.groups[i]));
    }
  }
};

}  // namespace

std::string InfoLines(const StatsSnapshot& snapshot, std::string_view section) {
  std::string lines;
  std::vector<std::string> group_lines;
  for (const GroupSnapshot& group : snapshot.groups)
    group_lines.push_back(LineName(group.name) + ":");
  for (const Metric& metric : MetricTable()) {
    if (metric.section != section) continue;
    std::visit(AddToInfo{metric, snapshot, lines, group_lines}, metric.value);
  }
  for (const std::string& line : group_lines) {
    if (!line.ends_with(':')) lines += line + "\r\n";
  }
  return lines;
}

}  // namespace cistern::server
