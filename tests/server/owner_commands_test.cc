#include "server/owner_commands.h"

#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::server {
namespace {

using cluster::CommandReply;
using test::FakeCluster;
using namespace std::chrono_literals;

// Two nodes; all keys are the first one's.
class OwnerCommandsTest : public testing::Test {
 protected:
  static cache::GroupConfig Group() {
    cache::GroupConfig group;
    group.name = "g";
    group.writes = cache::Writes::kCache;
    return group;
  }

  std::string Run(std::vector<std::string> args, int node = 0) {
    OwnerCommands commands(*cluster_[node].cache);
    std::string shown = "nothing";
    commands.Run(*cluster_[node].executor, std::move(args),
                 OwnerCommands::Done::element_type::Make(
                     *cluster_[node].executor,
                     [&shown](const cache::Result<CommandReply>& reply) { shown = Show(reply); }));
    EXPECT_EQ(shown, "nothing");  // never inside the call
    cluster_.Run();
    return shown;
  }

  static std::string Show(const cache::Result<CommandReply>& reply) {
    struct {
      std::string operator()(const CommandReply::Null&) { return "null"; }
      std::string operator()(const CommandReply::Status& status) { return "+" + status.text; }
      std::string operator()(const CommandReply::Error& error) { return "-" + error.text; }
      std::string operator()(int64_t number) { return ":" + std::to_string(number); }
      std::string operator()(const cache::BlobPtr& bulk) { return std::string(bulk->bytes()); }
    } show;
    if (!reply) return "failed: " + reply.error().text;
    return std::visit(show, reply->value);
  }

  FakeCluster cluster_{2, Group()};
};

TEST_F(OwnerCommandsTest, SetStoresAtTheOwner) {
  EXPECT_EQ(Run({"SET", "x", "1"}), "+OK");
  EXPECT_EQ(cluster_.Get(1, "x")->value, "1");
  EXPECT_EQ(cluster_.backend->total(), 0);
}

TEST_F(OwnerCommandsTest, ConditionsThatDoNotHoldAnswerNull) {
  EXPECT_EQ(Run({"set", "x", "1", "XX"}), "null");
  EXPECT_EQ(Run({"set", "x", "1", "NX"}), "+OK");
  EXPECT_EQ(Run({"set", "x", "2", "NX"}), "null");
  EXPECT_EQ(cluster_.Get(0, "x")->value, "1");
  EXPECT_EQ(Run({"set", "x", "3", "XX"}), "+OK");
  EXPECT_EQ(cluster_.Get(0, "x")->value, "3");
}

TEST_F(OwnerCommandsTest, LivesEndAndAreShown) {
  EXPECT_EQ(Run({"set", "x", "1", "PX", "2500"}), "+OK");
  EXPECT_EQ(Run({"pttl", "x"}), ":2500");
  EXPECT_EQ(Run({"TTL", "x"}), ":3");
  cluster_.clock.Advance(2'400'900us);
  EXPECT_EQ(Run({"pttl", "x"}), ":100");
  EXPECT_EQ(Run({"ttl", "x"}), ":0");
  cluster_.clock.Advance(100ms);
  EXPECT_EQ(Run({"ttl", "x"}), ":-2");
}

TEST_F(OwnerCommandsTest, TtlOfAnEndlessOrAbsentKeyLoadsNothing) {
  EXPECT_EQ(Run({"set", "x", "1"}), "+OK");
  EXPECT_EQ(Run({"ttl", "x"}), ":-1");
  EXPECT_EQ(Run({"pttl", "k"}), ":-2");
  EXPECT_EQ(cluster_.backend->total(), 0);
}

TEST_F(OwnerCommandsTest, NothingRunsAtANonOwner) {
  EXPECT_EQ(Run({"set", "x", "1"}, 1), "failed: node b does not own this key");
  EXPECT_EQ(Run({"ttl", "x"}, 1), "failed: node b does not own this key");
  EXPECT_EQ(Run({"set", "x", "1", "XX"}), "null");
}

TEST_F(OwnerCommandsTest, WhatAPeerSendsIsChecked) {
  EXPECT_EQ(Run({}), "-ERR command '' does not run at a key's owner");
  EXPECT_EQ(Run({"get", "x"}), "-ERR command 'get' does not run at a key's owner");
  EXPECT_EQ(Run({"set", "x"}), "-ERR wrong number of arguments for 'set' command");
  EXPECT_EQ(Run({"ttl", "x", "y"}), "-ERR wrong number of arguments for 'ttl' command");
  EXPECT_EQ(Run({"set", "x", "1", "EX"}), "-ERR syntax error");
}

TEST(OwnerCommandsGroupTest, AGroupThatTakesNoWritesSaysSo) {
  FakeCluster cluster(1);
  OwnerCommands commands(*cluster[0].cache);
  std::optional<cache::Error> error;
  commands.Run(*cluster[0].executor, {"set", "k", "1"},
               OwnerCommands::Done::element_type::Make(
                   *cluster[0].executor, [&error](const cache::Result<CommandReply>& reply) {
                     if (!reply) error = reply.error();
                   }));
  cluster.Run();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, cache::ErrorCode::kNoWrite);
}

}  // namespace
}  // namespace cistern::server
