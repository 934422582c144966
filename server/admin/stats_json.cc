// metrics.h's rendering as JSON.
#include <nlohmann/json.hpp>

#include "server/admin/metrics.h"

namespace cistern::server {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const LatencyCounts& latency) {
  return {{"count", latency.Total()},
          {"sum_ns", latency.sum_nanoseconds},
          {"p50_ns", latency.Quantile(0.5)},
          {"p99_ns", latency.Quantile(0.99)},
          {"p999_ns", latency.Quantile(0.999)}};
}

struct AddToJson {
  const Metric& metric;
  const StatsSnapshot& snapshot;
  Json& root;

  void operator()(NodeValue value) const {
    root[std::string(metric.section)][std::string(metric.info)] = value(snapshot);
  }
  void operator()(LatencyValue value) const {
    root[std::string(metric.section)][std::string(metric.info)] = ToJson(value(snapshot));
  }
  void operator()(GroupValue value) const {
    for (const GroupSnapshot& group : snapshot.groups)
      root[std::string(metric.section)][group.name][std::string(metric.info)] = value(group);
  }
};

}  // namespace

std::string StatsJson(const StatsSnapshot& snapshot) {
  Json root = {{"node", snapshot.node}, {"version", snapshot.version}};
  root["groups"] = Json::object();  // also where there is none
  for (const Metric& metric : MetricTable())
    std::visit(AddToJson{metric, snapshot, root}, metric.value);
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cistern::server
