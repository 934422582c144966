#include "server/admin/metrics.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/server/admin/sample_snapshot.h"

namespace cistern::server {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

// What a row that is no distribution says of the sample, by hand: the table alone knows its source.
uint64_t ValueOf(const Metric& metric, const StatsSnapshot& snapshot, const GroupSnapshot& group) {
  if (const auto* value = std::get_if<NodeValue>(&metric.value)) return (*value)(snapshot);
  return std::get<GroupValue>(metric.value)(group);
}

TEST(MetricTableTest, NamesAreUnique) {
  std::set<std::string> infos;
  std::set<std::string> samples;
  for (const Metric& metric : MetricTable()) {
    const bool is_group = std::holds_alternative<GroupValue>(metric.value);
    EXPECT_TRUE(infos.insert((is_group ? "group " : "") + std::string(metric.info)).second)
        << metric.info;
    EXPECT_TRUE(
        samples.insert(std::string(metric.family) + "{" + std::string(metric.label) + "}").second)
        << metric.family;
    EXPECT_EQ(is_group, metric.section == "groups") << metric.info;
  }
}

TEST(MetricTableTest, RowsOfAFamilyStandTogetherAndDiffer) {
  std::set<std::string_view> families;
  const Metric* before = nullptr;
  for (const Metric& metric : MetricTable()) {
    if (before == nullptr || before->family != metric.family) {
      EXPECT_TRUE(families.insert(metric.family).second) << metric.family << " stands apart";
      EXPECT_TRUE(metric.help.ends_with(".")) << metric.family;
    } else {
      EXPECT_EQ(metric.help, "") << metric.family << ": the first row's sentence counts";
      EXPECT_EQ(metric.kind, before->kind);
      EXPECT_NE(metric.label, "");
    }
    before = &metric;
  }
}

TEST(MetricTableTest, CountersAloneEndInTotal) {
  for (const Metric& metric : MetricTable())
    EXPECT_EQ(metric.family.ends_with("_total"), metric.kind == MetricKind::kCounter)
        << metric.family;
}

TEST(StatsJsonTest, EveryRowIsThere) {
  const StatsSnapshot snapshot = SampleSnapshot();
  const json stats = json::parse(StatsJson(snapshot));
  EXPECT_EQ(stats.at("node"), "a");
  EXPECT_EQ(stats.at("version"), "0.1.0");
  for (const Metric& metric : MetricTable()) {
    const json& section = stats.at(std::string(metric.section));
    const std::string info(metric.info);
    if (std::holds_alternative<LatencyValue>(metric.value)) {
      const LatencyCounts& latency = std::get<LatencyValue>(metric.value)(snapshot);
      EXPECT_EQ(section.at(info).at("count"), latency.Total());
      EXPECT_EQ(section.at(info).at("p99_ns"), latency.Quantile(0.99));
    } else if (std::holds_alternative<NodeValue>(metric.value)) {
      EXPECT_EQ(section.at(info), ValueOf(metric, snapshot, {})) << info;
    } else {
      for (const GroupSnapshot& group : snapshot.groups)
        EXPECT_EQ(section.at(group.name).at(info), ValueOf(metric, snapshot, group)) << info;
    }
  }
}

TEST(StatsJsonTest, WithoutGroupsTheObjectIsEmpty) {
  EXPECT_EQ(json::parse(StatsJson(StatsSnapshot())).at("groups"), json::object());
}

TEST(StatsJsonTest, OddNamesStayJson) {
  StatsSnapshot snapshot;
  snapshot.groups = {SampleGroup("a\"b\\c\n\xff", 1)};
  const json stats = json::parse(StatsJson(snapshot));
  EXPECT_EQ(stats.at("groups").begin().key(), "a\"b\\c\n\xef\xbf\xbd");
}

TEST(InfoLinesTest, EveryRowIsThere) {
  const StatsSnapshot snapshot = SampleSnapshot();
  for (const Metric& metric : MetricTable()) {
    const std::string lines = "\r\n" + InfoLines(snapshot, metric.section);
    const std::string info(metric.info);
    if (std::holds_alternative<LatencyValue>(metric.value)) {
      EXPECT_THAT(lines, HasSubstr("\r\n" + info + ":count="));
    } else if (std::holds_alternative<NodeValue>(metric.value)) {
      EXPECT_THAT(lines, HasSubstr("\r\n" + info + ":" +
                                   std::to_string(ValueOf(metric, snapshot, {})) + "\r\n"));
    } else {
      for (const GroupSnapshot& group : snapshot.groups) {
        const std::string field = info + "=" + std::to_string(ValueOf(metric, snapshot, group));
        EXPECT_THAT(lines, testing::ContainsRegex("\n" + group.name + ":[^\r]*" + field + "[,\r]"));
      }
    }
  }
}

TEST(InfoLinesTest, ValuesAreTheSnapshots) {
  const StatsSnapshot snapshot = SampleSnapshot();
  EXPECT_EQ(InfoLines(snapshot, "server"), "uptime_in_seconds:12\r\n");
  EXPECT_EQ(InfoLines(snapshot, "clients"), "connected_clients:1001\r\n");
  const std::string stats = InfoLines(snapshot, "stats");
  EXPECT_THAT(stats, HasSubstr("total_commands_processed:1007\r\n"));
  EXPECT_THAT(stats, HasSubstr("rejected_connections:1003\r\n"));
  // 2002..2005 and 3002..3005.
  EXPECT_THAT(stats, HasSubstr("keyspace_hits:20028\r\n"));
  EXPECT_THAT(stats, HasSubstr("keyspace_misses:5012\r\n"));
  EXPECT_THAT(InfoLines(snapshot, "memory"), HasSubstr("used_memory:6111\r\n"));
  EXPECT_THAT(InfoLines(snapshot, "groups"),
              HasSubstr("users:gets=2001,hits_main=2002,hits_hot=2003,hits_stale=2004,"));
  EXPECT_THAT(InfoLines(snapshot, "latency"),
              HasSubstr("hit:count=100,p50_usec=2.047,p99_usec=16.383,p999_usec=16.383\r\n"));
}

TEST(InfoLinesTest, UnknownSectionsAndNoGroupsAreEmpty) {
  EXPECT_THAT(InfoLines(SampleSnapshot(), "persistence"), IsEmpty());
  EXPECT_THAT(InfoLines(StatsSnapshot(), "groups"), IsEmpty());
}

TEST(InfoLinesTest, OddNamesStayOnTheirLine) {
  StatsSnapshot snapshot;
  snapshot.groups = {SampleGroup("a:b,c=d\r\ne", 1)};
  EXPECT_TRUE(InfoLines(snapshot, "groups").starts_with("a_b_c_d__e:gets=1,"));
}

}  // namespace
}  // namespace cistern::server
