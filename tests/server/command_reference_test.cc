#include "server/command_reference.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "server/command_table.h"

namespace cistern::server {
namespace {

TEST(CommandReferenceTest, TheCommittedPageIsTheTables) {
  std::ifstream file(std::string(CISTERN_SOURCE_DIR) + "/docs/commands.md", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(page, CommandReferenceMarkdown())
      << "write what `cistern help-commands --markdown` prints to docs/commands.md";
}

TEST(CommandReferenceTest, EverySummaryIsInBoth) {
  for (const Command* row : AllCommands::Get().rows()) {
    if (row->arguments == "subcommand") continue;  // its subcommands have rows of their own
    EXPECT_THAT(HelpCommands(), testing::HasSubstr(std::string(row->summary)));
    EXPECT_THAT(CommandReferenceMarkdown(), testing::HasSubstr(std::string(row->summary)));
  }
}

}  // namespace
}  // namespace cistern::server
