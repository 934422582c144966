// metrics.h's rendering for Prometheus.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "server/admin/metrics.h"

namespace cistern::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

// The buckets shown end at 2^10 ns (1 µs) to 2^34 ns (17 s); what is shorter is in the first, what
// is longer in none but "+Inf".
constexpr size_t kFirstShown = 10;
constexpr size_t kLastShown = 34;
constexpr double kNanosecond = 1e-9;

prometheus::MetricType TypeOf(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return prometheus::MetricType::Counter;
    case MetricKind::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::kHistogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

ClientMetric WithLabel(const Metric& metric) {
  ClientMetric sample;
  const size_t equals = metric.label.find('=');
  if (equals != std::string_view::npos) {
    sample.label.push_back({std::string(metric.label.substr(0, equals)),
                            std::string(metric.label.substr(equals + 1))});
  }
  return sample;
}

void SetValue(const Metric& metric, uint64_t value, ClientMetric& sample) {
  if (metric.kind == MetricKind::kCounter) {
    sample.counter.value = static_cast<double>(value);
  } else {
    sample.gauge.value = static_cast<double>(value);
  }
}

// A bucket's upper bound is inclusive in Prometheus, and ours are whole nanoseconds: 2^i - 1.
ClientMetric::Histogram ToHistogram(const LatencyCounts& latency) {
  ClientMetric::Histogram histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i <= kLastShown; ++i) {
    cumulative += latency.counts[i];
    if (i < kFirstShown) continue;
    const auto bound = static_cast<double>((uint64_t{1} << i) - 1);
    histogram.bucket.push_back({cumulative, bound * kNanosecond});
  }
  histogram.sample_count = latency.Total();
  histogram.sample_sum = static_cast<double>(latency.sum_nanoseconds) * kNanosecond;
  return histogram;
}

// Appends the row's samples: one, or one a group.
struct AddSamples {
  const Metric& metric;
  const StatsSnapshot& snapshot;
  std::vector<ClientMetric>& samples;

  void operator()(NodeValue value) const {
    ClientMetric sample = WithLabel(metric);
    SetValue(metric, value(snapshot), sample);
    samples.push_back(std::move(sample));
  }
  void operator()(GroupValue value) const {
    for (const GroupSnapshot& group : snapshot.groups) {
      ClientMetric sample = WithLabel(metric);
      sample.label.insert(sample.label.begin(), {"group", group.name});
      SetValue(metric, value(group), sample);
      samples.push_back(std::move(sample));
    }
  }
  void operator()(LatencyValue value) const {
    ClientMetric sample = WithLabel(metric);
    sample.histogram = ToHistogram(value(snapshot));
    samples.push_back(std::move(sample));
  }
};

}  // namespace

std::string PrometheusText(const StatsSnapshot& snapshot) {
  std::vector<MetricFamily> families;
  for (const Metric& metric : MetricTable()) {
    std::string name = "cistern_" + std::string(metric.family);
    if (families.empty() || families.back().name != name) {
      families.push_back({std::move(name), std::string(metric.help), TypeOf(metric.kind), {}});
    }
    std::visit(AddSamples{metric, snapshot, families.back().metric}, metric.value);
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace cistern::server
