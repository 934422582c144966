#include "server/config/reference.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "server/config/rows.h"

namespace cistern::server {
namespace {

using testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ReferenceTest, TheCommittedPageIsTheTables) {
  const std::string path = std::string(CISTERN_SOURCE_DIR) + "/docs/configuration.md";
  EXPECT_EQ(ReadFile(path), ConfigReferenceMarkdown())
      << "write what `cistern help-config --markdown` prints to docs/configuration.md";
}

TEST(ReferenceTest, EveryRowIsInBoth) {
  const std::string markdown = ConfigReferenceMarkdown();
  const std::string help = HelpConfig();
  for (const Row& row : ConfigRows()) {
    EXPECT_THAT(markdown, HasSubstr(std::string(row.sentence)));
    EXPECT_THAT(help, HasSubstr(std::string(row.sentence)));
    if (!row.is_table()) {
      EXPECT_THAT(markdown, HasSubstr("| `" + std::string(row.key()) + "` |"));
    }
  }
}

TEST(ReferenceTest, ARowShowsAllItHas) {
  EXPECT_THAT(ConfigReferenceMarkdown(),
              HasSubstr("| `max_clients` | integer | `10000` | 1..1000000 | Clients connected at"));
  EXPECT_THAT(ConfigReferenceMarkdown(), HasSubstr("Redis's name: maxclients."));
  EXPECT_THAT(ConfigReferenceMarkdown(),
              HasSubstr("| `hot_sample` | integer | `10` (0 where there is no backend) |"));
  EXPECT_THAT(ConfigReferenceMarkdown(), HasSubstr("| `path` | path | required | 1.. |"));
  EXPECT_THAT(HelpConfig(), HasSubstr("memory               size, 1MiB..64TiB; default: \"1GiB\""));
}

}  // namespace
}  // namespace cistern::server
