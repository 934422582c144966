// Walks every row of the table: what a row says of itself must be true.
#include "server/config/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/config/load.h"
#include "server/config/value.h"

namespace cistern::server {
namespace {

// A document that gives `row` the value `toml`, and else what lets it stand alone.
std::string DocumentWith(const Row& row, const std::string& toml) {
  std::string line = std::string(row.key()) + " = " + toml + "\n";
  if (row.section().empty()) return line;
  const Row* list = EnclosingList(row);
  if (list == nullptr) return "[" + std::string(row.section()) + "]\n" + line;
  std::string text;
  text += "cluster.longest_lease = \"10s\"\n";
  text += "[[" + std::string(list->name) + "]]\n";
  if (row.section() != list->name) return text + "[" + std::string(row.section()) + "]\n" + line;
  text += line;
  if (row.name.starts_with("group.") && !row.is_table())
    text += "backend = { type = \"redis\", address = \"h:1\" }\n";
  return text;
}

// The errors that are about the row's own value: others name other rows.
std::string ErrorsAbout(const Row& row, const std::string& document) {
  const auto loaded = ParseConfig(document, "/x/test.toml");
  if (loaded) return "";
  std::string about;
  for (const ConfigError& error : loaded.error()) {
    const bool is_value = error.message.starts_with(std::string(row.name) + " ") &&
                          error.message.find("missing") == std::string::npos &&
                          error.message.find("does not belong") == std::string::npos;
    if (is_value || error.message.starts_with("unknown key")) about += error.message + "\n";
  }
  return about;
}

// By name: tests are called by their parameters.
class RowsTest : public testing::TestWithParam<std::string_view> {
 protected:
  const Row& row_ = *FindRow(GetParam());
};

TEST_P(RowsTest, ItStandsInItsTable) {
  const Row& row = row_;
  if (!row.section().empty()) {
    const Row* table = FindRow(row.section());
    ASSERT_NE(table, nullptr);
    EXPECT_TRUE(table->is_table());
    EXPECT_LT(table->name.size(), row.name.size());
  } else {
    EXPECT_TRUE(row.is_table());
  }
}

TEST_P(RowsTest, ItsSentenceIsOne) {
  const Row& row = row_;
  ASSERT_FALSE(row.sentence.empty());
  EXPECT_TRUE(row.sentence.ends_with("."));
  EXPECT_EQ(row.sentence.find('|'), std::string_view::npos) << "it would break the reference";
}

TEST_P(RowsTest, ItsDefaultIsWhatAnEmptyFileGives) {
  const Row& row = row_;
  if (row.is_table() || row.literal().empty()) return;
  Config config = DefaultConfig();
  config.cluster.nodes.emplace_back();
  GroupConfig group = DefaultGroup();
  ClusterNode node;
  Target target{&config, &group, &node};
  SetDefaults(FindRow("cluster.nodes"), target);
  EXPECT_EQ(FormatValue(row, target), row.literal());
}

TEST_P(RowsTest, ItsDefaultMayBeWrittenDown) {
  const Row& row = row_;
  if (row.is_table() || row.literal().empty()) return;
  EXPECT_EQ(ErrorsAbout(row, DocumentWith(row, FormatToml(row, row.literal()))), "");
}

TEST_P(RowsTest, EndsOfItsRangeAreInIt) {
  const Row& row = row_;
  const size_t dots = row.range.find("..");
  if (row.is_table() || dots == std::string_view::npos) return;
  using enum RowType;
  if (row.field.type != kInteger && row.field.type != kReal && row.field.type != kDuration &&
      row.field.type != kSize) {
    return;
  }
  for (const std::string_view end : {row.range.substr(0, dots), row.range.substr(dots + 2)}) {
    ASSERT_FALSE(end.empty()) << "numbers have both ends";
    EXPECT_EQ(ErrorsAbout(row, DocumentWith(row, FormatToml(row, end))), "") << end;
  }
}

TEST_P(RowsTest, BeyondItsRangeIsRefused) {
  const Row& row = row_;
  const char* beyond = nullptr;
  switch (row.field.type) {
    case RowType::kInteger:
      beyond = "9223372036854775807";
      break;
    case RowType::kReal:
      beyond = "1e300";
      break;
    case RowType::kDuration:
      beyond = "\"106000d\"";
      break;
    case RowType::kSize:
      beyond = "\"8388607TiB\"";
      break;
    default:
      return;
  }
  const std::string error = ErrorsAbout(row, DocumentWith(row, beyond));
  EXPECT_NE(error.find("choose from " + std::string(row.range)), std::string::npos) << error;
}

TEST_P(RowsTest, AnotherTypeIsRefused) {
  const Row& row = row_;
  EXPECT_NE(ErrorsAbout(row, DocumentWith(row, "1979-05-27")), "");
}

std::vector<std::string_view> AllNames() {
  std::vector<std::string_view> names;
  for (const Row& row : ConfigRows())
    names.push_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(EveryRow, RowsTest, testing::ValuesIn(AllNames()), [](const auto& row) {
  std::string name(row.param);
  std::ranges::replace(name, '.', '_');
  return name;
});

TEST(RowTest, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Row& row : ConfigRows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    if (!row.redis_name.empty()) {
      EXPECT_TRUE(names.insert(row.redis_name).second) << row.redis_name;
    }
  }
}

TEST(RowTest, TheLiteralEndsBeforeTheBracket) {
  EXPECT_EQ((Row{.name = "a.b", .field = {}, .value = "10 (or so)", .range = "", .sentence = ""}
                 .literal()),
            "10");
  EXPECT_EQ(
      (Row{.name = "a.b", .field = {}, .value = "(or so)", .range = "", .sentence = ""}.literal()),
      "");
}

}  // namespace
}  // namespace cistern::server
