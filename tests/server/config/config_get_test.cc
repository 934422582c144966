#include "server/config/config_get.h"

#include <gmock/gmock.h>

#include "server/config/load.h"

namespace cistern::server {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Config Sample() {
  auto loaded = ParseConfig(R"(
[node]
name = "a"
[server]
memory = "2GiB"
idle_timeout = "1500ms"
password = "geheim"
[cluster]
nodes = [ { name = "a", peer = "127.0.0.1:1", client = "127.0.0.1:2", weight = 3 } ]
[[group]]
name = "users"
prefix = "user:"
ttl = "90s"
)",
                            "/x/y.toml");
  EXPECT_TRUE(loaded) << FormatErrors(loaded.error());
  return *loaded;
}

TEST(ConfigGetTest, DottedNamesAnswerAsInTheFile) {
  EXPECT_THAT(ConfigGet(Sample(), "server.memory"), ElementsAre(Pair("server.memory", "2GiB")));
  EXPECT_THAT(ConfigGet(Sample(), "server.listen"),
              ElementsAre(Pair("server.listen", "127.0.0.1:6379")));
}

TEST(ConfigGetTest, RedisNamesAnswerAsRedisDoes) {
  EXPECT_THAT(ConfigGet(Sample(), "maxmemory"), ElementsAre(Pair("maxmemory", "2147483648")));
  EXPECT_THAT(ConfigGet(Sample(), "maxclients"), ElementsAre(Pair("maxclients", "10000")));
  EXPECT_THAT(ConfigGet(Sample(), "timeout"), ElementsAre(Pair("timeout", "2")));
  EXPECT_THAT(ConfigGet(Sample(), "databases"), ElementsAre(Pair("databases", "1")));
  EXPECT_THAT(ConfigGet(Sample(), "save"), ElementsAre(Pair("save", "")));
  EXPECT_THAT(ConfigGet(Sample(), "appendonly"), ElementsAre(Pair("appendonly", "no")));
}

TEST(ConfigGetTest, GroupsAndNodesAreNamed) {
  EXPECT_THAT(ConfigGet(Sample(), "group.users.ttl"), ElementsAre(Pair("group.users.ttl", "90s")));
  EXPECT_THAT(ConfigGet(Sample(), "group.*.backend.type"),
              ElementsAre(Pair("group.users.backend.type", "none")));
  EXPECT_THAT(ConfigGet(Sample(), "cluster.nodes.a.weight"),
              ElementsAre(Pair("cluster.nodes.a.weight", "3")));
}

TEST(ConfigGetTest, SecretsAreHidden) {
  EXPECT_THAT(ConfigGet(Sample(), "server.password"),
              ElementsAre(Pair("server.password", "(hidden)")));
  EXPECT_THAT(ConfigGet(Sample(), "cluster.secret"), ElementsAre(Pair("cluster.secret", "")));
  EXPECT_THAT(ConfigGet(Sample(), "*"), Not(Contains(Pair(testing::_, "geheim"))));
}

TEST(ConfigGetTest, PatternsAreGlobsInAnyLetterCase) {
  EXPECT_THAT(ConfigGet(Sample(), "MAX*"),
              ElementsAre(Pair("maxclients", testing::_), Pair("maxmemory", testing::_)));
  EXPECT_THAT(ConfigGet(Sample(), "no-such"), IsEmpty());
}

}  // namespace
}  // namespace cistern::server
