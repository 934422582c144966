#include "server/owner_commands.h"

#include <gtest/gtest.h>

#include <cstring>

#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/value_edit.h"
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

TEST_F(OwnerCommandsTest, KeepTtlKeepsTheEndAndAnythingElseTakesTheGroups) {
  Run({"set", "x", "1", "EX", "10"});
  Run({"set", "x", "2", "KEEPTTL"});
  EXPECT_EQ(Run({"ttl", "x"}), ":10");
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"set", "x", "3"}, {"getset", "x", "3"}, {"mset", "x", "3"}}) {
    Run({"set", "x", "2", "EX", "10"});
    Run(args);
    EXPECT_EQ(Run({"ttl", "x"}), ":-1") << args[0];
  }
}

TEST_F(OwnerCommandsTest, TheOldValueIsAnsweredInOneStepWithTheChange) {
  EXPECT_EQ(Run({"getset", "x", "1"}), "null");
  EXPECT_EQ(Run({"getset", "x", "2"}), "1");
  EXPECT_EQ(Run({"set", "x", "3", "GET"}), "2");
  EXPECT_EQ(Run({"set", "x", "4", "NX", "GET"}), "3");
  EXPECT_EQ(Run({"getdel", "x"}), "3");
  EXPECT_EQ(Run({"getdel", "x"}), "null");
}

TEST_F(OwnerCommandsTest, EndsAreSetShownComparedAndTakenAway) {
  Run({"set", "x", "1"});
  EXPECT_EQ(Run({"expire", "x", "100", "GT"}), ":0");
  EXPECT_EQ(Run({"expire", "x", "100", "LT"}), ":1");
  EXPECT_EQ(Run({"expire", "x", "200", "nx"}), ":0");
  EXPECT_EQ(Run({"pexpire", "x", "200000", "XX", "GT"}), ":1");
  EXPECT_EQ(Run({"ttl", "x"}), ":200");
  // The manual clock's wall time is its boot time.
  EXPECT_EQ(Run({"expiretime", "x"}), ":3800");
  EXPECT_EQ(Run({"expireat", "x", "3900"}), ":1");
  EXPECT_EQ(Run({"pexpiretime", "x"}), ":3900000");
  EXPECT_EQ(Run({"expireat", "x", "3900", "GT"}), ":0");
  EXPECT_EQ(Run({"pexpireat", "x", "3899999", "GT"}), ":0");
  EXPECT_EQ(Run({"pexpireat", "x", "3900001", "GT"}), ":1");
  EXPECT_EQ(Run({"persist", "x"}), ":1");
  EXPECT_EQ(Run({"persist", "x"}), ":0");
  EXPECT_EQ(Run({"expiretime", "x"}), ":-1");
  EXPECT_EQ(Run({"expire", "x", "0"}), ":1");
  EXPECT_EQ(Run({"expiretime", "x"}), ":-2");
}

TEST_F(OwnerCommandsTest, GetExShowsTheValueAndSetsItsEnd) {
  EXPECT_EQ(Run({"getex", "x", "EX", "wrong"}), "null");
  Run({"set", "x", "1"});
  EXPECT_EQ(Run({"getex", "x", "EX", "wrong"}), "-ERR value is not an integer or out of range");
  EXPECT_EQ(Run({"getex", "x", "EX", "100"}), "1");
  EXPECT_EQ(Run({"getex", "x"}), "1");
  EXPECT_EQ(Run({"ttl", "x"}), ":100");
  EXPECT_EQ(Run({"getex", "x", "PERSIST"}), "1");
  EXPECT_EQ(Run({"ttl", "x"}), ":-1");
  EXPECT_EQ(Run({"getex", "x", "EXAT", "1"}), "1");
  EXPECT_EQ(Run({"ttl", "x"}), ":-2");
}

TEST_F(OwnerCommandsTest, WhatLooksOnlyAtTheOwnersCacheLoadsNothing) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"expire", "k", "10"},
                                               {"persist", "k"},
                                               {"expiretime", "k"},
                                               {"getdel", "k"},
                                               {"getex", "k"},
                                               {"set", "k", "1", "XX"}}) {
    Run(args);
    EXPECT_EQ(cluster_.backend->total(), 0) << args[0];
  }
}

TEST_F(OwnerCommandsTest, MSetStopsAtTheFirstKeyThatIsNotItsOwn) {
  cluster_[0].owner_of = [](std::string_view key) { return key == "theirs" ? 1u : 0u; };
  EXPECT_EQ(Run({"mset", "x", "1", "theirs", "2", "y", "3"}),
            "failed: node a does not own this key");
  EXPECT_EQ(Run({"mset", "x"}), "-ERR wrong number of arguments for 'mset' command");
  EXPECT_EQ(Run({"mset", "x", "1", "y"}), "-ERR wrong number of arguments for 'mset' command");
  EXPECT_EQ(Run({"mset", "x", "1", "y", "2", "x", "3"}), "+OK");
  EXPECT_EQ(cluster_.Get(0, "x")->value, "3");
  EXPECT_EQ(cluster_.Get(0, "y")->value, "2");
}

TEST_F(OwnerCommandsTest, WhatIsTooLargeIsRefusedBeforeItIsMade) {
  cache::Recalls recalls;
  const std::vector<std::string_view> args = {"append", "x", "y"};
  OwnerCall call{*cluster_[0].cache, *cluster_[0].executor,
                 *AllCommands::Get().FindCommand("append"), args, &recalls};
  const auto edit_to = [&](size_t size) {
    bool written = false;
    const auto reply = EditHere(call, [&](std::optional<std::string_view>) {
      return Edit{
          {int64_t{1}}, [&](char* to) { std::memset(to, 'x', size), written = true; }, size};
    });
    return Show(reply) + (written ? ", written" : "");
  };
  const size_t largest = Group().max_value;
  EXPECT_EQ(edit_to(largest), ":1, written");
  EXPECT_EQ(edit_to(largest + 1).substr(0, 8), "failed: ");
  EXPECT_EQ(edit_to(size_t{1} << 62), "-" + std::string(error_texts::kStringTooLong));
  EXPECT_EQ(cluster_.Get(0, "x")->value.value().size(), largest);
}

TEST_F(OwnerCommandsTest, AnEditedValueKeepsItsLifeAndANewOneHasTheGroups) {
  EXPECT_EQ(Run({"incr", "new"}), ":1");
  EXPECT_EQ(Run({"ttl", "new"}), ":-1");
  EXPECT_EQ(Run({"set", "x", "1", "EX", "100"}), "+OK");
  for (const auto& edit : std::vector<std::vector<std::string>>{{"incr", "x"},
                                                                {"incrbyfloat", "x", "1"},
                                                                {"append", "x", "1"},
                                                                {"setrange", "x", "0", "1"},
                                                                {"setbit", "x", "0", "1"}})
    Run(edit);
  EXPECT_EQ(Run({"ttl", "x"}), ":100");
}

TEST_F(OwnerCommandsTest, AnEditRecallsCopies) {
  EXPECT_EQ(Run({"set", "x", "1"}), "+OK");
  EXPECT_EQ(cluster_.Get(1, "x")->value, "1");
  EXPECT_EQ(Run({"incr", "x"}), ":2");
  EXPECT_EQ(cluster_.Get(1, "x")->value, "2");
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

// A group with a backend that takes no writes, and its one loaded key "k", which lives 100 s.
class ReadOnlyGroupTest : public testing::Test {
 protected:
  ReadOnlyGroupTest() { cluster_.Get(0, "k"); }

  static cache::GroupConfig Group() {
    cache::GroupConfig group;
    group.ttl = 100s;
    return group;
  }
  int64_t Number(const std::vector<std::string_view>& args) {
    cache::Recalls recalls;
    auto reply = OwnerCommands(*cluster_[0].cache).Run(*cluster_[0].executor, args, &recalls);
    return reply ? std::get<int64_t>(reply->value) : -100;
  }

  FakeCluster cluster_{1, Group()};
};

TEST_F(ReadOnlyGroupTest, LivesMayBeShortenedAndNotLengthened) {
  EXPECT_EQ(Number({"expire", "k", "101"}), 0);
  EXPECT_EQ(Number({"persist", "k"}), 0);
  EXPECT_EQ(Number({"ttl", "k"}), 100);
  EXPECT_EQ(Number({"expire", "k", "50"}), 1);
  EXPECT_EQ(Number({"ttl", "k"}), 50);
  EXPECT_EQ(Number({"expire", "k", "0"}), 1);
  EXPECT_EQ(Number({"ttl", "k"}), -2);
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
