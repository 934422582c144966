#include "server/info.h"

#include <gmock/gmock.h>

#include <set>

namespace cistern::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class InfoTest : public testing::Test {
 protected:
  InfoTest() {
    snapshot_.node = "a";
    snapshot_.memory_limit = 1ULL << 30;
    snapshot_.memory[0] = 1536;
    facts_.run_id = std::string(40, 'f');
    facts_.tcp_port = 6379;
    facts_.policy = "lru";
    cluster::MemberState self;
    self.member = {"a", "127.0.0.1:1", "127.0.0.1:2", 1};
    self.is_self = true;
    facts_.members = {self};
    facts_.slots = {16384};
  }

  std::string Text(std::vector<std::string_view> names = {}) {
    return InfoText(snapshot_, facts_, names);
  }

  static std::string Headings(const std::string& text) {
    std::string headings;
    for (size_t at = text.find("# "); at != std::string::npos; at = text.find("# ", at + 1))
      headings += text.substr(at, text.find("\r\n", at) - at);
    return headings;
  }

  StatsSnapshot snapshot_;
  InfoFacts facts_;
};

TEST_F(InfoTest, HasWhatClientsLookFor) {
  const std::string text = Text();
  for (const char* line :
       {"# Server\r\n", "\r\nredis_version:7.4.0\r\n", "\r\nused_memory:1536\r\nused_memory_",
        "\r\ncistern_version:", "\r\nredis_mode:standalone\r\n", "\r\nloading:0\r\n",
        "\r\nrole:master\r\n", "\r\nconnected_clients:0\r\n", "\r\ncluster_enabled:0\r\n",
        "\r\ntcp_port:6379\r\n", "\r\nused_memory_human:1.50K\r\n", "\r\nmaxmemory_human:1.00G\r\n",
        "\r\nmaxmemory_policy:allkeys-lru\r\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(InfoTest, EveryLineIsAHeadingOrAField) {
  GroupSnapshot group;
  group.name = "g";
  group.items_main = 3;
  snapshot_.groups = {group};
  std::string text = Text();
  while (!text.empty()) {
    const size_t end = text.find("\r\n");
    ASSERT_NE(end, std::string::npos);
    const std::string line = text.substr(0, end);
    EXPECT_TRUE(line.empty() || line.starts_with("# ") || line.find(':') != std::string::npos)
        << line;
    text.erase(0, end + 2);
  }
}

TEST_F(InfoTest, NoFieldStandsTwice) {
  std::set<std::string> names;
  std::string text = Text();
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find("\r\n", at);
    const size_t colon = text.find(':', at);
    if (colon < end) {
      EXPECT_TRUE(names.insert(text.substr(at, colon - at)).second) << text.substr(at, colon - at);
    }
    at = end + 2;
  }
}

TEST_F(InfoTest, SectionsAreChosenInAnyCaseAndUnknownOnesAreEmpty) {
  EXPECT_THAT(Text({"REPLICATION"}), testing::StartsWith("# Replication\r\nrole:master\r\n"));
  EXPECT_THAT(Text({"replication", "server"}), testing::StartsWith("# Server\r\n"));
  EXPECT_THAT(Text({"replication"}), Not(HasSubstr("# Server")));
  EXPECT_EQ(Text({"nonsense"}), "");
  for (const char* all : {"all", "default", "everything"})
    EXPECT_EQ(Headings(Text({all})), Headings(Text()));
}

TEST_F(InfoTest, KeyspaceCountsWhatThisNodeOwns) {
  EXPECT_EQ(Text({"keyspace"}), "# Keyspace\r\n");
  GroupSnapshot group;
  group.items_main = 3;
  group.items_hot = 5;
  snapshot_.groups = {group, group};
  EXPECT_EQ(Text({"keyspace"}), "# Keyspace\r\ndb0:keys=6,expires=0,avg_ttl=0\r\n");
}

TEST_F(InfoTest, ClusterShowsEveryMember) {
  EXPECT_THAT(Text({"cluster"}), HasSubstr("\r\nnode_a:state=self,peer=127.0.0.1:1,"
                                           "client=127.0.0.1:2,weight=1,slots=16384\r\n"));
}

}  // namespace
}  // namespace cistern::server
