// /metrics as Prometheus's own Python client reads it (Debian's python3-prometheus-client).
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "server/admin/metrics.h"
#include "tests/server/admin/sample_snapshot.h"

namespace cistern::server {
namespace {

using nlohmann::json;

json ReadByPrometheusClient(const std::string& page) {
  const std::string path =
      testing::TempDir() + "cistern_metrics_" + std::to_string(getpid()) + ".txt";
  std::ofstream(path, std::ios::binary) << page;
  const std::string command = "/usr/bin/python3 " METRICS_TO_JSON " " + path;
  FILE* pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string text;
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), n);
  EXPECT_EQ(pclose(pipe), 0) << "the parser refused:\n" << page;
  unlink(path.c_str());
  return json::parse(text, nullptr, false);
}

// The client calls the counter "x_total" family "x", its sample "x_total".
const json* FindFamily(const json& families, std::string_view family, MetricKind kind) {
  std::string name = "cistern_" + std::string(family);
  if (kind == MetricKind::kCounter) name.resize(name.size() - std::string_view("_total").size());
  for (const json& candidate : families) {
    if (candidate.at("name") == name) return &candidate;
  }
  return nullptr;
}

const json* FindSample(const json& family, const std::string& name, const json& labels) {
  for (const json& sample : family.at("samples")) {
    if (sample.at("name") == name && sample.at("labels") == labels) return &sample;
  }
  return nullptr;
}

json LabelsOf(const Metric& metric) {
  json labels = json::object();
  if (const size_t equals = metric.label.find('='); equals != std::string_view::npos)
    labels[std::string(metric.label.substr(0, equals))] = metric.label.substr(equals + 1);
  return labels;
}

class PrometheusTextTest : public testing::Test {
 protected:
  void ExpectSample(const json& family, const std::string& name, const json& labels,
                    uint64_t value) {
    const json* sample = FindSample(family, name, labels);
    ASSERT_NE(sample, nullptr) << name << labels;
    EXPECT_EQ(sample->at("value"), value) << name << labels;
  }

  const StatsSnapshot snapshot_ = SampleSnapshot();
};

TEST_F(PrometheusTextTest, EveryRowIsThere) {
  const json families = ReadByPrometheusClient(PrometheusText(snapshot_));
  for (const Metric& metric : MetricTable()) {
    const json* family = FindFamily(families, metric.family, metric.kind);
    ASSERT_NE(family, nullptr) << metric.family;
    if (!metric.help.empty()) {
      EXPECT_EQ(family->at("help"), metric.help);
    }
    const std::string name = "cistern_" + std::string(metric.family);
    json labels = LabelsOf(metric);
    if (const auto* value = std::get_if<NodeValue>(&metric.value)) {
      EXPECT_EQ(family->at("type"), metric.kind == MetricKind::kCounter ? "counter" : "gauge");
      ExpectSample(*family, name, labels, (*value)(snapshot_));
    } else if (const auto* group_value = std::get_if<GroupValue>(&metric.value)) {
      for (const GroupSnapshot& group : snapshot_.groups) {
        labels["group"] = group.name;
        ExpectSample(*family, name, labels, (*group_value)(group));
      }
    } else {
      EXPECT_EQ(family->at("type"), "histogram");
      ExpectSample(*family, name + "_count", labels,
                   std::get<LatencyValue>(metric.value)(snapshot_).Total());
    }
  }
}

TEST_F(PrometheusTextTest, HistogramsCumulate) {
  const json families = ReadByPrometheusClient(PrometheusText(snapshot_));
  const json* family = FindFamily(families, "hit_seconds", MetricKind::kHistogram);
  ASSERT_NE(family, nullptr);
  double last_bound = 0;
  uint64_t last_count = 0;
  for (const json& sample : family->at("samples")) {
    if (sample.at("name") != "cistern_hit_seconds_bucket") continue;
    const double bound = std::stod(sample.at("labels").at("le").get<std::string>());
    const auto count = sample.at("value").get<uint64_t>();
    EXPECT_GT(bound, last_bound);
    EXPECT_GE(count, last_count);
    // Counted as below 2^11 ns and below 2^14 ns.
    EXPECT_EQ(count, bound < 2.0e-6 ? 0U : bound < 16.0e-6 ? 90U : 100U) << bound;
    last_bound = bound;
    last_count = count;
  }
  EXPECT_EQ(last_count, 100U);
  const json* sum = FindSample(*family, "cistern_hit_seconds_sum", json::object());
  ASSERT_NE(sum, nullptr);
  EXPECT_DOUBLE_EQ(sum->at("value").get<double>(), 0.00025);
}

TEST_F(PrometheusTextTest, LabelsOfOddNamesComeBackAsTheyWere) {
  const std::string name = "a\"b\\c\nd{e}=,é";
  StatsSnapshot snapshot;
  snapshot.groups = {SampleGroup(name, 7)};
  const json families = ReadByPrometheusClient(PrometheusText(snapshot));
  const json* family = FindFamily(families, "gets_total", MetricKind::kCounter);
  ASSERT_NE(family, nullptr);
  ExpectSample(*family, "cistern_gets_total", {{"group", name}}, 7);
}

TEST_F(PrometheusTextTest, LargeCountsAreExact) {
  StatsSnapshot snapshot;
  snapshot.input_bytes = (uint64_t{1} << 53) - 1;
  const json families = ReadByPrometheusClient(PrometheusText(snapshot));
  const json* family = FindFamily(families, "input_bytes_total", MetricKind::kCounter);
  ASSERT_NE(family, nullptr);
  ExpectSample(*family, "cistern_input_bytes_total", json::object(), snapshot.input_bytes);
}

TEST_F(PrometheusTextTest, WithoutGroupsItIsStillAPage) {
  EXPECT_FALSE(ReadByPrometheusClient(PrometheusText(StatsSnapshot())).empty());
}

}  // namespace
}  // namespace cistern::server
