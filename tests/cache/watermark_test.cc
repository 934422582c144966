// A raised watermark ends what was loaded before, wherever it is on its way.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

struct Watermark : testing::Test {
  Watermark() : cluster(2, AlwaysHot()) {}
  static cache::GroupConfig AlwaysHot() {
    cache::GroupConfig config;
    config.name = "g";
    config.hot_sample = 1;
    return config;
  }
  cache::Store& store(int node) { return cluster[node].cache->store(); }
  uint64_t Items(int node, cache::Role role) { return store(node).Counts(0).items(role); }

  FakeCluster cluster;
};

TEST_F(Watermark, OfAGroupEndsItsEntriesAndTheirCountsAtOnce) {
  cluster.Get(0, "k");
  EXPECT_EQ(Items(0, cache::Role::kMain), 1u);
  store(0).marks().RaiseGroup(0);
  EXPECT_EQ(Items(0, cache::Role::kMain), 0u);
  cluster.backend->rows["k"] = "v2";
  EXPECT_EQ(cluster.Get(0, "k")->value, "v2");
  EXPECT_EQ(Items(0, cache::Role::kMain), 1u);
}

TEST_F(Watermark, NobodyJoinsAFlightFromBeforeAndItsResultIsNotKept) {
  cluster.backend->parked = true;
  auto before = cluster.StartGet(0, "k");
  cluster.Run();
  store(0).marks().RaiseGroup(0);
  auto after = cluster.StartGet(0, "k");
  cluster.Run();
  ASSERT_EQ(cluster.backend->waiting.size(), 2u);
  auto loads = std::exchange(cluster.backend->waiting, {});
  FakeOrigin::Answer(loads[0], *cluster.backend);
  cluster.Run();
  EXPECT_EQ(before->value, "v1");
  EXPECT_FALSE(after->answered);
  EXPECT_EQ(Items(0, cache::Role::kMain), 0u);
  cluster.backend->rows["k"] = "v2";
  FakeOrigin::Answer(loads[1], *cluster.backend);
  cluster.Run();
  EXPECT_EQ(after->value, "v2");
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
}

TEST_F(Watermark, OfCopiesEndsThemAndLeavesWhatIsOwned) {
  cluster.Get(0, "k");
  cluster.Get(1, "k");
  ASSERT_EQ(Items(1, cache::Role::kHot), 1u);
  store(0).marks().RaiseCopies();
  store(1).marks().RaiseCopies();
  EXPECT_EQ(Items(1, cache::Role::kHot), 0u);
  EXPECT_EQ(Items(0, cache::Role::kMain), 1u);
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit);
}

TEST_F(Watermark, AReplyToARequestFromBeforeAnswersItsWaitersAndIsNotKept) {
  auto before = cluster.StartGet(1, "k");
  cluster.hold_frames = true;
  cluster.Run();
  auto after = cluster.StartGet(1, "k");
  store(1).marks().RaiseCopies();
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(before->value, "v1");
  EXPECT_EQ(after->value, "v1");
  EXPECT_EQ(cluster.gets_sent, 2) << "who came after the sending asks again";
}

TEST_F(Watermark, WhatIsPastIsReclaimedThoughItNeverExpires) {
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i);
    cluster.backend->rows[key] = std::string(100, 'v');
    cluster.Get(0, key);
  }
  const uint64_t full = store(0).used(cache::ChargeKind::kEntries);
  store(0).marks().RaiseGroup(0);
  for (int i = 0; i < 10'000; ++i)
    store(0).Reclaim(0, 1, cluster.clock);
  EXPECT_LE(store(0).used(cache::ChargeKind::kEntries), full - uint64_t{1000} * 100);
  EXPECT_EQ(store(0).Counts(0).expirations, 0u);
}

}  // namespace
}  // namespace cistern::test
