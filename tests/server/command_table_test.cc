#include "server/command_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace cistern::server {
namespace {

std::span<const Command* const> Rows() {
  return AllCommands::Get().rows();
}

TEST(CommandTableTest, NoNameStandsTwice) {
  std::set<std::string_view> names;
  for (const Command* row : Rows())
    EXPECT_TRUE(names.insert(row->name).second) << row->name;
}

TEST(CommandTableTest, EveryRowIsWhole) {
  const std::set<std::string_view> groups = {"bitmap", "connection", "generic", "server", "string"};
  for (const Command* row : Rows()) {
    EXPECT_NE(row->handler, nullptr) << row->name;
    EXPECT_NE(row->arity, 0) << row->name;
    EXPECT_TRUE(row->summary.ends_with('.')) << row->name;
    EXPECT_FALSE(row->since.empty()) << row->name;
    EXPECT_TRUE(groups.contains(row->group)) << row->name;
    EXPECT_TRUE(std::none_of(row->name.begin(), row->name.end(), [](char c) {
      return c >= 'A' && c <= 'Z';
    })) << row->name;
  }
}

TEST(CommandTableTest, KeysFitTheFewestArguments) {
  for (const Command* row : Rows()) {
    const int fewest = std::abs(row->arity);
    EXPECT_LT(row->first_key, fewest) << row->name;
    EXPECT_LT(row->last_key, fewest) << row->name;
    EXPECT_EQ(row->first_key == 0, row->step == 0) << row->name;
    EXPECT_EQ(row->first_key == 0, row->last_key == 0) << row->name;
    if (row->last_key > 0) {
      EXPECT_LE(row->first_key, row->last_key) << row->name;
    }
  }
}

TEST(CommandTableTest, KeysAndAccessAndFlagsAgree) {
  for (const Command* row : Rows()) {
    const bool has_keys = row->first_key != 0;
    EXPECT_EQ(has_keys, row->access == Access::kRead || row->access == Access::kWrite) << row->name;
    const bool writes = (row->flags & kFlagWrite) != 0;
    EXPECT_TRUE(writes == (row->access == Access::kWrite) || row->access == Access::kBarrier)
        << row->name;
    if (has_keys && row->access == Access::kRead) {
      EXPECT_NE(row->flags & kFlagReadonly, 0U) << row->name;
    }
  }
}

TEST(CommandTableTest, FormsNameAsManyArgumentsAsTheArityAsks) {
  for (const Command* row : Rows()) {
    const bool none_permitted =
        row->arity == 1 + static_cast<int>(row->name.find('|') != row->name.npos);
    if (none_permitted) {
      EXPECT_TRUE(row->arguments.empty()) << row->name;
    }
  }
}

TEST(CommandTableTest, SubcommandsBelongToACommand) {
  for (const Command* row : Rows()) {
    const size_t bar = row->name.find('|');
    if (bar == std::string_view::npos) continue;
    const Command* command = AllCommands::Get().FindCommand(row->name.substr(0, bar));
    ASSERT_NE(command, nullptr) << row->name;
    EXPECT_EQ(AllCommands::Get().FindSubcommand(*command, row->name.substr(bar + 1)), row);
  }
}

TEST(CommandTableTest, EveryCommandIsFoundInAnyCase) {
  for (const Command* row : AllCommands::Get().commands()) {
    std::string upper(row->name);
    std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
    EXPECT_EQ(AllCommands::Get().FindCommand(row->name), row);
    EXPECT_EQ(AllCommands::Get().FindCommand(upper), row);
  }
}

TEST(CommandTableTest, OtherNamesAreNotFound) {
  const AllCommands& table = AllCommands::Get();
  for (const std::string_view name :
       {"", "g", "gets", "client|id", "GET\r", "flush", "\xff\xfe", "eval"}) {
    EXPECT_EQ(table.FindCommand(name), nullptr) << name;
  }
  EXPECT_EQ(table.FindSubcommand(*table.FindCommand("client"), ""), nullptr);
  EXPECT_EQ(table.FindSubcommand(*table.FindCommand("client"), "lis"), nullptr);
}

// Whoever adds one of these bounds the resulting value before it is allocated, as EditHere does,
// and says so here.
TEST(CommandTableTest, NoOtherCommandGrowsAValueByAnOffset) {
  for (const char* name : {"bitfield", "bitop", "lset"})
    EXPECT_EQ(AllCommands::Get().FindCommand(name), nullptr) << name;
}

TEST(CommandTableTest, NothingRunsScriptsOrTakesDumps) {
  for (const char* name : {"eval", "evalsha", "eval_ro", "script", "fcall", "function", "restore",
                           "restore-asking", "migrate", "debug", "module", "replicaof", "sync"})
    EXPECT_EQ(AllCommands::Get().FindCommand(name), nullptr) << name;
}

}  // namespace
}  // namespace cistern::server
