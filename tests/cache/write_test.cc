// Invalidations and writes at the owner, on one node.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

cache::GroupConfig Writable() {
  cache::GroupConfig config;
  config.name = "g";
  config.writes = cache::Writes::kCache;
  return config;
}

TEST(Invalidate, ErasesAndCountsOnlyValuesThatWereThere) {
  FakeCluster cluster(1);
  cluster.Get(0, "k");
  auto deleted = cluster.StartDelete(0, {"k", "absent"});
  cluster.Run();
  EXPECT_EQ(deleted->value().value(), 1);
  EXPECT_FALSE(cluster.Get(0, "k")->was_hit);
  EXPECT_EQ(cluster.backend->loads["k"], 2);
}

TEST(Invalidate, OfNoKeysAnswersZero) {
  FakeCluster cluster(1);
  auto deleted = cluster.StartDelete(0, {});
  cluster.Run();
  EXPECT_EQ(deleted->value().value(), 0);
}

TEST(Invalidate, ForgetsThatAKeyWasNotFound) {
  cache::GroupConfig config;
  config.negative_ttl = 1h;
  FakeCluster cluster(1, config);
  cluster.Get(0, "new");
  cluster.backend->rows["new"] = "born";
  auto deleted = cluster.StartDelete(0, {"new"});
  cluster.Run();
  EXPECT_EQ(deleted->value().value(), 0);
  EXPECT_EQ(cluster.Get(0, "new")->value, "born");
}

// The gap of every groupcache fork: a load that read the old value before the DEL stores it after.
TEST(Invalidate, DetachesALoadUnderWaySoItsResultIsAnsweredButNotKept) {
  FakeCluster cluster(1);
  cluster.backend->parked = true;
  auto before = cluster.StartGet(0, "k");
  cluster.Run();
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_EQ(deleted->value().value(), 0);
  auto old_load = cluster.backend->waiting.front();
  cluster.backend->waiting.pop_front();
  cluster.backend->rows["k"] = "v2";
  auto after = cluster.StartGet(0, "k");
  cluster.Run();
  EXPECT_EQ(cluster.backend->waiting.size(), 1u) << "a GET after the DEL must load anew";
  FakeOrigin::State old_state;
  old_state.rows["k"] = "v1";
  FakeOrigin::Answer(old_load, old_state);
  cluster.Run();
  EXPECT_EQ(before->value, "v1");
  EXPECT_FALSE(after->answered);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(after->value, "v2");
  EXPECT_EQ(cluster.Get(0, "k")->value, "v2");
}

TEST(Invalidate, AStaleFlightThatLandsAfterANewerOneLeavesTheNewerValue) {
  FakeCluster cluster(1);
  cluster.backend->parked = true;
  cluster.StartGet(0, "k");
  cluster.Run();
  cluster.StartDelete(0, {"k"});
  cluster.StartGet(0, "k");
  cluster.Run();
  ASSERT_EQ(cluster.backend->waiting.size(), 2u);
  FakeOrigin::State old_state;
  old_state.rows["k"] = "v1";
  cluster.backend->rows["k"] = "v2";
  FakeOrigin::Answer(cluster.backend->waiting[1], *cluster.backend);
  cluster.Run();
  FakeOrigin::Answer(cluster.backend->waiting[0], old_state);
  cluster.Run();
  cluster.backend->waiting.clear();
  EXPECT_EQ(cluster.Get(0, "k")->value, "v2");
}

// What an update saw, and what it was told to do.
struct Script {
  cache::Change change;
  std::optional<std::string> saw;

  cache::Decide decide() {
    return [this](const cache::Entry* present) {
      if (present != nullptr) saw = present->value();
      return change;
    };
  }
};

cache::Change Value(const std::string& value, cache::Instant expires = cache::kNever) {
  return cache::Change::Store(cache::MakeBlob(value), expires);
}

std::optional<cache::Instant> EndOf(FakeCluster& cluster, const std::string& key) {
  return cluster[0].cache->EndHere(cache::Key::Of(key)).value();
}

// Nobody holds a copy, so it is told at once.
cache::Result<bool> Update(FakeCluster& cluster, const std::string& key, Script& script,
                           cache::Touches touches = cache::Touches::kValue) {
  return cluster.StartUpdate(0, key, touches, script.decide())->value();
}

TEST(Update, SeesTheValueAndStoresAnother) {
  FakeCluster cluster(1, Writable());
  Script first{Value("x"), {}};
  EXPECT_TRUE(Update(cluster, "new", first).value());
  EXPECT_EQ(first.saw, std::nullopt);
  Script second{Value("y"), {}};
  EXPECT_TRUE(Update(cluster, "new", second).value());
  EXPECT_EQ(second.saw, "x");
  EXPECT_EQ(cluster.Get(0, "new")->value, "y");
  EXPECT_EQ(cluster.backend->total(), 0);
}

TEST(Update, WhatIsKnownAsNotFoundOrHasExpiredIsAbsent) {
  cache::GroupConfig config = Writable();
  config.negative_ttl = 1h;
  FakeCluster cluster(1, config);
  cluster.Get(0, "nothing");
  cluster.StartSet(0, "brief", "x", cluster.clock.Now() + 1s);
  cluster.clock.Advance(1s);
  for (const char* key : {"nothing", "brief"}) {
    Script script{cache::Change::None(), {}};
    EXPECT_FALSE(Update(cluster, key, script).value());
    EXPECT_EQ(script.saw, std::nullopt) << key;
    EXPECT_EQ(EndOf(cluster, key), std::nullopt) << key;
  }
}

TEST(Update, DetachesALoadUnderWay) {
  FakeCluster cluster(1, Writable());
  cluster.backend->parked = true;
  auto get = cluster.StartGet(0, "k");
  cluster.Run();
  cluster.StartSet(0, "k", "written");
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(cluster.Get(0, "k")->value, "written");
}

TEST(Update, ThatChangesNothingLeavesALoadUnderWayAlone) {
  FakeCluster cluster(1, Writable());
  cluster.backend->parked = true;
  cluster.StartGet(0, "k");
  cluster.Run();
  Script script{cache::Change::None(), {}};
  EXPECT_FALSE(Update(cluster, "k", script).value());
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
}

TEST(Update, ErasingAnAbsentKeyDetachesItsLoadAsADelDoes) {
  FakeCluster cluster(1);
  cluster.backend->parked = true;
  cluster.StartGet(0, "k");
  cluster.Run();
  Script script{cache::Change::Erase(), {}};
  EXPECT_TRUE(Update(cluster, "k", script, cache::Touches::kLife).value());
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_FALSE(cluster.StartGet(0, "k")->was_hit);
}

TEST(Update, GivesTheValueAnotherEndAndKeepsIt) {
  FakeCluster cluster(1, Writable());
  cluster.StartSet(0, "k", std::string(10'000, 'x'));
  EXPECT_EQ(EndOf(cluster, "k"), cache::kNever);
  const cache::Instant end = cluster.clock.Now() + 10s;
  Script shorten{cache::Change::Live(end), {}};
  EXPECT_TRUE(Update(cluster, "k", shorten, cache::Touches::kLife).value());
  EXPECT_EQ(EndOf(cluster, "k"), end);
  cluster.clock.Advance(10s - 1ns);
  EXPECT_EQ(cluster.Get(0, "k")->value, std::string(10'000, 'x'));
  Script lengthen{cache::Change::Live(cache::kNever), {}};
  EXPECT_TRUE(Update(cluster, "k", lengthen, cache::Touches::kLife).value());
  cluster.clock.Advance(1h);
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
}

TEST(Update, AShortenedLifeIsReclaimedWithoutBeingAskedFor) {
  FakeCluster cluster(1, Writable());
  cluster.StartSet(0, "k", "x");
  Script shorten{cache::Change::Live(cluster.clock.Now() + 1s), {}};
  Update(cluster, "k", shorten, cache::Touches::kLife);
  cluster.clock.Advance(1s);
  cache::Store& store = cluster[0].cache->store();
  for (int i = 0; i < 1000 && store.Counts(0).items(cache::Role::kMain) > 0; ++i)
    store.Reclaim(0, 1, cluster.clock);
  EXPECT_EQ(store.Counts(0).items(cache::Role::kMain), 0u);
  EXPECT_EQ(store.Counts(0).expirations, 1u);
}

TEST(Update, AnEndThatHasPassedErases) {
  FakeCluster cluster(1, Writable());
  for (const cache::Change& change :
       {Value("y", cluster.clock.Now()), cache::Change::Live(cluster.clock.Now())}) {
    cluster.StartSet(0, "k", "x");
    Script script{change, {}};
    EXPECT_TRUE(Update(cluster, "k", script).value());
    EXPECT_EQ(EndOf(cluster, "k"), std::nullopt);
    EXPECT_EQ(cluster[0].cache->store().Counts(0).items(cache::Role::kMain), 0u);
  }
}

TEST(Update, AValueThatCouldNotBeKeptIsRefusedAndTheOldOneStays) {
  cache::GroupConfig config = Writable();
  config.max_value = 10;
  FakeCluster cluster(1, config);
  cluster.StartSet(0, "k", "old");
  auto refused = cluster.StartSet(0, "k", "elevenbytes");
  EXPECT_EQ(refused->value().error().code, cache::ErrorCode::kTooLarge);
  EXPECT_EQ(cluster.Get(0, "k")->value, "old");
}

TEST(Update, OfAValueIsRefusedWhereTheGroupTakesNoWrites) {
  FakeCluster cluster(1);
  Script script{Value("x"), {}};
  EXPECT_EQ(Update(cluster, "k", script).error().text, "group 'g' takes no writes");
}

TEST(Update, ALifeMayOnlyBeShortenedWhereTheGroupTakesNoWrites) {
  cache::GroupConfig config;
  config.ttl = 100s;
  FakeCluster cluster(1, config);
  cluster.Get(0, "k");
  const cache::Instant loaded_until = cluster.clock.Now() + 100s;
  for (const cache::Instant later : {loaded_until + 1s, cache::kNever}) {
    Script lengthen{cache::Change::Live(later), {}};
    EXPECT_FALSE(Update(cluster, "k", lengthen, cache::Touches::kLife).value());
    EXPECT_EQ(EndOf(cluster, "k"), loaded_until);
  }
  Script shorten{cache::Change::Live(loaded_until - 1s), {}};
  EXPECT_TRUE(Update(cluster, "k", shorten, cache::Touches::kLife).value());
  EXPECT_EQ(EndOf(cluster, "k"), loaded_until - 1s);
}

TEST(Update, CountsAsAnInvalidationWhenItChangesSomething) {
  FakeCluster cluster(1, Writable());
  Script nothing{cache::Change::None(), {}};
  Update(cluster, "k", nothing);
  EXPECT_EQ(cluster.stats(0).invalidations.value(), 0u);
  cluster.StartSet(0, "k", "x");
  EXPECT_EQ(cluster.stats(0).invalidations.value(), 1u);
}

// Node 1 holds a leased copy of node 0's key.
class UpdateRecallsTest : public testing::Test {
 protected:
  UpdateRecallsTest() {
    cluster_.StartSet(0, "k", "old", cluster_.clock.Now() + 1h);
    cluster_.Get(1, "k");
    EXPECT_TRUE(cluster_.Get(1, "k")->was_hit);
    cluster_.hold_notices = true;
  }
  static cache::GroupConfig AlwaysHot() {
    cache::GroupConfig config = Writable();
    config.hot_sample = 1;
    return config;
  }

  FakeCluster cluster_{2, AlwaysHot()};
};

TEST_F(UpdateRecallsTest, BeforeItIsAnsweredWhateverItChanged) {
  const cache::Instant now = cluster_.clock.Now();
  for (const cache::Change& change :
       {Value("new"), cache::Change::Live(now + 1s), cache::Change::Live(cache::kNever),
        cache::Change::Live(now), cache::Change::Erase()}) {
    Script script{change, {}};
    auto updated = cluster_.StartUpdate(0, "k", cache::Touches::kValue, script.decide());
    cluster_.Run();
    EXPECT_FALSE(updated->has_value()) << "node 1 has not dropped its copy";
    cluster_.hold_notices = false;
    cluster_.Run();
    EXPECT_TRUE(updated->has_value());
    EXPECT_FALSE(cluster_.StartGet(1, "k")->was_hit);
    cluster_.Run();
    cluster_.StartSet(0, "k", "old", now + 1h);
    cluster_.Run();
    cluster_.Get(1, "k");
    EXPECT_TRUE(cluster_.Get(1, "k")->was_hit);
    cluster_.hold_notices = true;
  }
}

TEST_F(UpdateRecallsTest, NobodyWhenItChangesNothing) {
  Script script{cache::Change::None(), {}};
  auto updated = cluster_.StartUpdate(0, "k", cache::Touches::kLife, script.decide());
  EXPECT_FALSE(updated->value().value());
  EXPECT_TRUE(cluster_.Get(1, "k")->was_hit);
}

TEST_F(UpdateRecallsTest, CopiesOfWhatTheOwnerHasLostWhenItErases) {
  cache::Store& store = cluster_[0].cache->store();
  const cache::Key key = cache::Key::Of("k");
  {
    cache::Shard& shard = store.ShardOf(key.hash);
    std::lock_guard lock(shard.mutex);
    shard.entries.Erase(shard.entries.FindAny("k", key.hash));
  }
  Script script{cache::Change::Erase(), {}};
  auto updated = cluster_.StartUpdate(0, "k", cache::Touches::kLife, script.decide());
  cluster_.Run();
  EXPECT_FALSE(updated->has_value());
  cluster_.hold_notices = false;
  cluster_.Run();
  EXPECT_TRUE(updated->has_value());
  EXPECT_FALSE(cluster_.StartGet(1, "k")->was_hit);
}

}  // namespace
}  // namespace cistern::test
