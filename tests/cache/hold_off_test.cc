// hold_off: how long what a load brings is kept when it began soon after an invalidation.
#include "cache/hold_off.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

using cache::Instant;
using cache::kNever;
using cache::PurgeScope;

constexpr auto kHoldOff = 2s;

// A cluster whose start is long ago. The backend's rows are a replica's, which lags.
struct HoldOffTest : testing::Test {
  HoldOffTest() { cluster.clock.Advance(1h); }
  static cache::GroupConfig Config() {
    cache::GroupConfig config;
    config.name = "g";
    config.ttl = 10min;
    config.negative_ttl = 10min;
    config.hold_off = kHoldOff;
    config.hot_sample = 1;
    return config;
  }
  void Delete(const std::string& key) {
    auto deleted = cluster.StartDelete(0, {key});
    cluster.Run();
    ASSERT_TRUE(deleted->value().has_value());
  }
  void Purge(PurgeScope scope) {
    cache::Result<bool> purged;
    cluster[0].cache->Purge(
        *cluster[0].executor, std::move(scope),
        cache::Completion<cache::Result<bool>>::Make(
            *cluster[0].executor, [&](cache::Result<bool> r) { purged = std::move(r); }));
    cluster.Run();
    ASSERT_TRUE(purged.has_value());
  }
  void ReplicaCatchesUp() { cluster.backend->rows["k"] = "v2"; }
  void ExpectOldUntil(cache::Duration left) {
    EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
    ReplicaCatchesUp();
    cluster.clock.Advance(left - 1ns);
    EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
    cluster.clock.Advance(1ns);
    EXPECT_EQ(cluster.Get(0, "k")->value, "v2");
  }

  FakeCluster cluster{2, Config()};
};

TEST_F(HoldOffTest, WhatIsLoadedSoonAfterADelIsKeptUntilTheHoldOffIsOver) {
  Delete("k");
  ExpectOldUntil(kHoldOff);
}

TEST_F(HoldOffTest, HoweverLateInItTheLoadBegins) {
  Delete("k");
  cluster.clock.Advance(kHoldOff - 10ms);
  ExpectOldUntil(10ms);
}

TEST_F(HoldOffTest, WhatIsLoadedAfterItIsKeptAsLongAsAnyOther) {
  Delete("k");
  cluster.clock.Advance(kHoldOff);
  ExpectOldUntil(10min);
}

TEST_F(HoldOffTest, ALoadThatBeginsWithinItAndLandsAfterItIsAnsweredAndNotKept) {
  cluster.backend->parked = true;
  Delete("k");
  auto get = cluster.StartGet(0, "k");
  cluster.Run();
  cluster.clock.Advance(kHoldOff);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  cluster.backend->parked = false;
  ReplicaCatchesUp();
  EXPECT_EQ(cluster.Get(0, "k")->value, "v2");
}

TEST_F(HoldOffTest, NotFoundIsKeptNoLongerEither) {
  cluster.backend->rows.clear();
  Delete("k");
  EXPECT_EQ(cluster.Get(0, "k")->value, std::nullopt);
  ReplicaCatchesUp();
  cluster.clock.Advance(kHoldOff - 1ns);
  EXPECT_EQ(cluster.Get(0, "k")->value, std::nullopt);
  cluster.clock.Advance(1ns);
  EXPECT_EQ(cluster.Get(0, "k")->value, "v2");
}

TEST_F(HoldOffTest, ACopyEndsWithWhatItCopies) {
  Delete("k");
  cluster.clock.Advance(kHoldOff - 300ms);  // less than a lease is left
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
  EXPECT_TRUE(cluster.Get(1, "k")->was_hit);
  ReplicaCatchesUp();
  cluster.clock.Advance(300ms);
  EXPECT_EQ(cluster.Get(1, "k")->value, "v2");
}

TEST_F(HoldOffTest, TheLastDelCounts) {
  Delete("k");
  cluster.clock.Advance(1s);
  EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
  Delete("k");
  ExpectOldUntil(kHoldOff);
}

TEST_F(HoldOffTest, OtherKeysAreKept) {
  cluster.backend->rows["other"] = "v1";
  Delete("k");
  cluster.Get(0, "other");
  cluster.clock.Advance(9min);
  EXPECT_TRUE(cluster.Get(0, "other")->was_hit);
}

TEST_F(HoldOffTest, FollowsAPurgeOfEverything) {
  Purge({PurgeScope::Kind::kAll, {}});
  ExpectOldUntil(kHoldOff);
}

TEST_F(HoldOffTest, FollowsAPurgeOfTheGroup) {
  Purge({PurgeScope::Kind::kGroup, "g"});
  ExpectOldUntil(kHoldOff);
}

TEST_F(HoldOffTest, FollowsAPurgeOfAPrefix) {
  Purge({PurgeScope::Kind::kPrefix, "k"});
  ExpectOldUntil(kHoldOff);
}

// Whatever its last start has invalidated.
TEST(HoldOff, FollowsTheStartOfANode) {
  FakeCluster cluster(1, HoldOffTest::Config());
  cluster.Get(0, "k");
  cluster.clock.Advance(kHoldOff - 1ns);
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
  cluster.clock.Advance(1ns);
  EXPECT_FALSE(cluster.Get(0, "k")->was_hit);
}

// Whatever their former owner has invalidated.
TEST_F(HoldOffTest, FollowsTheGainOfSlots) {
  cluster[0].cache->ChangeOwners(
      {.gains = true, .longest_lease = 1s, .publish = [] {}, .swept = [] {}});
  cluster.Run();
  ExpectOldUntil(kHoldOff);
}

TEST_F(HoldOffTest, FollowsANoticeOfTheOwner) {
  cluster[0].cache->DropCopies({"k", 1});
  ExpectOldUntil(kHoldOff);
}

TEST(HoldOff, WhatClientsStoreIsKept) {
  cache::GroupConfig config = HoldOffTest::Config();
  config.writes = cache::Writes::kCache;
  FakeCluster cluster(1, config);
  cluster.StartSet(0, "k", "written");
  cluster.Run();
  cluster.clock.Advance(1h);
  EXPECT_EQ(cluster.Get(0, "k")->value, "written");
}

TEST(HoldOff, CostsNothingWhereNoGroupHasIt) {
  FakeCluster with(1, HoldOffTest::Config());
  FakeCluster without(1);
  const auto used = [](FakeCluster& cluster) { return cluster[0].cache->store().budget().used(); };
  EXPECT_EQ(used(with) - used(without), 2u << 20);
}

// However many invalidations there are: memory is what it was, and none is forgotten.
TEST(HoldOff, ForgetsNothing) {
  cache::Budget budget(1 << 20);
  cache::HoldOff hold_off(budget, 64);
  const uint64_t charged = budget.used();
  std::mt19937_64 random(1);
  std::map<uint64_t, Instant> invalidated;
  for (int i = 1; i <= 1000; ++i) {
    const uint64_t hash = random();
    invalidated[hash] = Instant(i * 1ms);
    hold_off.Note(hash, Instant(i * 1ms));
  }
  for (const auto& [hash, at] : invalidated) {
    EXPECT_NE(hold_off.End(hash, at + kHoldOff - 1ns, kHoldOff), kNever);
    EXPECT_EQ(hold_off.End(hash, Instant(1000ms) + kHoldOff, kHoldOff), kNever);
  }
  EXPECT_EQ(budget.used(), charged);
}

}  // namespace
}  // namespace cistern::test
