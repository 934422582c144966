// What of a configuration that was read again takes effect.
#include "server/config/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/load.h"
#include "server/config/rows.h"

namespace cistern::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config Parse(const std::string& text) {
  auto loaded = ParseConfig(text, "/etc/cistern/cistern.toml");
  EXPECT_TRUE(loaded) << FormatErrors(loaded.error());
  return loaded.value_or(Config());
}

const std::string kGroup = "[[group]]\nname = 'users'\n";

TEST(Reload, TheSameFileChangesNothing) {
  const Config now = Parse(kGroup);
  const Reloaded reloaded = Reload(now, now);
  EXPECT_EQ(reloaded.config, now);
  EXPECT_THAT(reloaded.changed, IsEmpty());
  EXPECT_THAT(reloaded.refused, IsEmpty());
}

TEST(Reload, WhatMayChangeTakesEffectAndIsTold) {
  const Reloaded reloaded =
      Reload(Parse(""), Parse("[server]\nrequest_timeout = '2s'\n[log]\nlevel = 'debug'\n"));
  EXPECT_EQ(reloaded.config.server.request_timeout, std::chrono::seconds(2));
  EXPECT_EQ(reloaded.config.log.level, LogLevel::kDebug);
  EXPECT_THAT(reloaded.changed,
              ElementsAre("server.request_timeout: 5s -> 2s", "log.level: info -> debug"));
}

TEST(Reload, WhatTakesARestartStaysAndIsTold) {
  const Reloaded reloaded =
      Reload(Parse(""), Parse("[server]\nmemory = '2GiB'\nrequest_timeout = '2s'\n"));
  EXPECT_EQ(reloaded.config.server.memory, uint64_t{1} << 30);
  EXPECT_EQ(reloaded.config.server.request_timeout, std::chrono::seconds(2));
  EXPECT_THAT(reloaded.refused, ElementsAre("server.memory: 1GiB -> 2GiB"));
}

TEST(Reload, SecretsAreNotTold) {
  const Reloaded reloaded =
      Reload(Parse("[server]\npassword = 'old one'\n"), Parse("[server]\npassword = 'new one'\n"));
  EXPECT_EQ(reloaded.config.server.password, "new one");
  EXPECT_THAT(reloaded.changed, ElementsAre("server.password: (hidden) -> (hidden)"));
}

TEST(Reload, GroupsAreMatchedByNameInAnyOrder) {
  const Config now = Parse("[[group]]\nname='a'\nprefix='a:'\n[[group]]\nname='b'\nprefix='b:'\n");
  const Config next = Parse(
      "[[group]]\nname='b'\nprefix='b:'\nttl='1s'\n[[group]]\nname='a'\nprefix='a:'\nttl='2s'\n");
  const Reloaded reloaded = Reload(now, next);
  EXPECT_EQ(reloaded.config.groups[0].name, "a");
  EXPECT_EQ(reloaded.config.groups[0].ttl, std::chrono::seconds(2));
  EXPECT_EQ(reloaded.config.groups[1].ttl, std::chrono::seconds(1));
  EXPECT_THAT(reloaded.changed,
              ElementsAre("group.ttl of 'a': 10m -> 2s", "group.ttl of 'b': 10m -> 1s"));
}

TEST(Reload, GroupsThatComeOrGoTakeARestart) {
  const Reloaded reloaded =
      Reload(Parse("[[group]]\nname = 'a'\n"), Parse("[[group]]\nname = 'b'\n"));
  ASSERT_EQ(reloaded.config.groups.size(), 1u);
  EXPECT_EQ(reloaded.config.groups[0].name, "a");
  EXPECT_THAT(reloaded.refused,
              ElementsAre("group: 'a' is not there any more", "group: 'b' is new"));
}

TEST(Reload, BackendOfAGroupTakesARestart) {
  const auto with = [](const std::string& address) {
    return Parse(kGroup + "[group.backend]\ntype = 'redis'\naddress = '" + address + "'\n");
  };
  const Reloaded reloaded = Reload(with("h:1"), with("h:2"));
  EXPECT_EQ(reloaded.config.groups[0].backend.address, "h:1");
  EXPECT_THAT(reloaded.refused, ElementsAre("group.backend.address of 'users': h:1 -> h:2"));
}

TEST(Reload, ListOfNodesChangesAsAWhole) {
  const std::string a = "{ name = 'a', peer = '127.0.0.1:1', client = '127.0.0.1:2' }";
  const std::string b = "{ name = 'b', peer = '127.0.0.1:3', client = '127.0.0.1:4' }";
  const auto with = [](const std::string& nodes) {
    return Parse("[node]\nname = 'a'\n[cluster]\nnodes = [" + nodes + "]\n");
  };
  const Reloaded reloaded = Reload(with(a), with(a + "," + b));
  EXPECT_EQ(reloaded.config.cluster.nodes.size(), 2u);
  EXPECT_THAT(reloaded.changed, ElementsAre("cluster.nodes: now a b"));
}

// Each file is right by itself: the password goes together with the public address.
TEST(Reload, WhatDoesNotGoTogetherWithWhatTakesARestartChangesNothing) {
  const Config now =
      Parse("[server]\nlisten = ['0.0.0.0:6379']\npassword = 'x'\n[log]\nlevel = 'info'\n");
  const Reloaded reloaded = Reload(now, Parse("[log]\nlevel = 'debug'\n"));
  EXPECT_EQ(reloaded.config, now);
  ASSERT_EQ(reloaded.misfits.size(), 1u);
  EXPECT_THAT(reloaded.misfits[0], HasSubstr("0.0.0.0:6379"));
}

TEST(Reload, LeaseAboveTheLongestThatHoldsIsAMisfit) {
  const Reloaded reloaded = Reload(
      Parse(kGroup), Parse("[cluster]\nlongest_lease = '5s'\n" + kGroup + "hot_lease = '3s'\n"));
  EXPECT_EQ(reloaded.misfits.size(), 1u);
}

}  // namespace
}  // namespace cistern::server
