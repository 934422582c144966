#include "server/node.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/server/node_fixture.h"

namespace cistern::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string WhyNot(Config config) {
  const auto node = Node::Start(std::move(config));
  return node ? "it started" : node.error();
}

TEST(NodeTest, StartsAndStopsManyTimes) {
  for (int i = 0; i < 5; ++i) {
    NodeFixture server;
    EXPECT_TRUE(server.node().IsReady());
    EXPECT_EQ(server.Ask("PING"), "+PONG\r\n");
    server.node().Stop();
    EXPECT_FALSE(server.node().IsReady());
  }
}

TEST(NodeTest, APortThatIsTakenIsNamed) {
  NodeFixture first;
  const std::string taken = first.node().listening().front().ToString();
  Config config = NodeConfigForTests();
  config.server.listen = {"127.0.0.1:0", taken};
  EXPECT_EQ(WhyNot(config), "server.listen: " + taken + ": address already in use");
  config.server.listen = {"127.0.0.1:0"};
  config.admin.listen = taken;
  EXPECT_THAT(WhyNot(config), StartsWith("admin.listen: " + taken + ": "));
}

TEST(NodeTest, APeerPortThatIsTakenIsNamed) {
  NodeFixture first;
  Config config = NodeConfigForTests();
  config.cluster.listen = first.node().listening().front().ToString();
  config.cluster.nodes = {{"a", config.cluster.listen, "127.0.0.1:1", 1},
                          {"b", "127.0.0.1:2", "127.0.0.1:3", 1}};
  EXPECT_EQ(WhyNot(config),
            "cluster.listen: " + config.cluster.listen + ": address already in use");
}

TEST(NodeTest, ABackendThatCannotBeOpenedIsNamed) {
  Config config = NodeConfigForTests();
  config.groups[1].backend.type = BackendType::kSqlite;
  config.groups[1].backend.path = "/nonexistent/x.db";
  config.groups[1].backend.query = "SELECT 1";
  config.groups[1].backend.connections = 1;
  config.groups[1].backend.batch = 1;
  EXPECT_THAT(WhyNot(config), StartsWith("group.backend: broken: "));
}

TEST(NodeTest, ANodeThatIsNotInTheListIsRefused) {
  Config config = NodeConfigForTests();
  config.cluster.nodes = {{"b", "127.0.0.1:2", "127.0.0.1:3", 1}};
  EXPECT_THAT(WhyNot(config), StartsWith("cluster.nodes: "));
}

TEST(NodeTest, MoreClientsThanFilesMayBeOpenAreRefused) {
  Config config = NodeConfigForTests();
  config.server.max_clients = int64_t{1} << 40;
  EXPECT_THAT(WhyNot(config),
              testing::AllOf(StartsWith("server.max_clients: "), HasSubstr("open files")));
}

TEST(NodeTest, ItListensOnUnixSocketsToo) {
  const std::string path =
      testing::TempDir() + "cistern_node_" + std::to_string(getpid()) + ".sock";
  Config config = NodeConfigForTests();
  config.server.listen = {"unix:" + path, "127.0.0.1:0"};
  auto node = Node::Start(config);
  ASSERT_TRUE(node) << node.error();
  EXPECT_EQ((*node)->listening().front().ToString(), "unix:" + path);
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
  (*node)->Stop();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(NodeTest, APeerThatIsNotHeardHoldsReadinessUpForAWhileOnly) {
  Config config = NodeConfigForTests();
  config.cluster.nodes = {{"a", "127.0.0.1:0", "127.0.0.1:1", 1},
                          {"b", "127.0.0.1:1", "127.0.0.1:3", 1}};
  NodeFixture patient(config);
  EXPECT_FALSE(patient.node().IsReady());
  config.cluster.connect_timeout = config.cluster.dead_after = Duration(0);
  NodeFixture impatient(config);
  EXPECT_TRUE(impatient.node().IsReady());
}

TEST(NodeTest, TheAdminPortIsOptional) {
  NodeFixture without;
  EXPECT_EQ(without.node().admin_port(), 0);
  Config config = NodeConfigForTests();
  config.admin.listen = "127.0.0.1:0";
  NodeFixture with(config);
  EXPECT_NE(with.node().admin_port(), 0);
}

}  // namespace
}  // namespace cistern::server
