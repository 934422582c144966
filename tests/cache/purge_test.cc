// Purges: of everything, of a group, of a prefix, over the whole cluster.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

using cache::PurgeRound;
using cache::PurgeScope;

struct PurgeTest : testing::Test {
  PurgeTest() : cluster(3, AlwaysHot()) {}
  static cache::GroupConfig AlwaysHot() {
    cache::GroupConfig config;
    config.name = "g";
    config.hot_sample = 1;
    return config;
  }
  using Purged = std::shared_ptr<std::optional<cache::Result<bool>>>;
  Purged Start(int node, PurgeScope scope) {
    auto result = std::make_shared<std::optional<cache::Result<bool>>>();
    cluster[node].cache->Purge(
        *cluster[node].executor, std::move(scope),
        cache::Completion<cache::Result<bool>>::Make(
            *cluster[node].executor, [result](cache::Result<bool> r) { *result = std::move(r); }));
    return result;
  }
  Purged Run(int node, PurgeScope scope) {
    auto purged = Start(node, std::move(scope));
    cluster.Run();
    return purged;
  }
  void FillEverywhere(const std::string& key) {
    cluster.backend->rows[key] = "v1";
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(cluster.Get(i, key)->value, "v1");
  }
  bool IsHeld(int node, const std::string& key) { return cluster.StartGet(node, key)->was_hit; }

  FakeCluster cluster;
};

constexpr auto kAll = PurgeScope::Kind::kAll;
constexpr auto kGroup = PurgeScope::Kind::kGroup;
constexpr auto kPrefix = PurgeScope::Kind::kPrefix;

TEST_F(PurgeTest, OfEverythingReachesOwnersAndCopies) {
  FillEverywhere("k");
  EXPECT_TRUE(Run(2, {kAll, {}})->value().value());
  cluster.backend->rows["k"] = "v2";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(cluster.Get(i, "k")->value, "v2") << i;
}

// 1. node 1 drops its copies; 2. it asks the owner, which has not dropped its own yet, and is
// granted a lease on the old value; 3. the owner drops its own: one round would leave 1's copy.
TEST_F(PurgeTest, CopiesGoOnlyWhenEveryOwnerHasDroppedItsOwn) {
  FillEverywhere("k");
  cluster.hold_frames = true;
  auto purged = Start(1, {kAll, {}});
  cluster.Run();
  EXPECT_EQ(cluster.purge_rounds, (std::vector{PurgeRound::kMain}));
  cluster[1].cache->store().marks().RaiseCopies();
  auto again = cluster.StartGet(1, "k");
  cluster.Run();
  std::swap(cluster.frames.front(), cluster.frames.back());  // its request overtakes the purge
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(again->value, "v1");
  EXPECT_EQ(cluster.purge_rounds, (std::vector{PurgeRound::kMain, PurgeRound::kCopies}));
  EXPECT_TRUE(purged->value().has_value());
  cluster.backend->rows["k"] = "v2";
  EXPECT_EQ(cluster.Get(1, "k")->value, "v2");
}

TEST_F(PurgeTest, ANodeThatDoesNotConfirmIsNamed) {
  cluster[2].reachable = false;
  const auto purged = Run(1, {kAll, {}});
  ASSERT_FALSE(purged->value().has_value());
  EXPECT_EQ(purged->value().error().text, "node c did not confirm");
  EXPECT_EQ(purged->value().error().code, cache::ErrorCode::kPeer);
}

TEST_F(PurgeTest, BeginsAgainWhenANodeWasStartedBetweenItsRounds) {
  cluster.hold_frames = true;
  auto purged = Start(0, {kAll, {}});
  while (cluster.purge_rounds.size() < 2) {
    cluster.hold_frames = cluster.frames.empty();
    cluster[0].executor->RunTurn();
    if (!cluster.frames.empty()) {
      auto frame = std::move(cluster.frames.front());
      cluster.frames.pop_front();
      frame();
    }
  }
  cluster[2].incarnation = 7;
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_TRUE(purged->value().has_value());
  EXPECT_EQ(cluster.purge_rounds, (std::vector{PurgeRound::kMain, PurgeRound::kCopies,
                                               PurgeRound::kMain, PurgeRound::kCopies}));
}

TEST_F(PurgeTest, OfAGroupThatNobodyKnowsIsAnError) {
  EXPECT_EQ(Run(0, {kGroup, "other"})->value().error().text, "no group is named 'other'");
}

TEST_F(PurgeTest, OfAGroupEndsIt) {
  FillEverywhere("k");
  EXPECT_TRUE(Run(1, {kGroup, "g"})->value().has_value());
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(IsHeld(i, "k"));
}

TEST_F(PurgeTest, OfAPrefixDropsItAndNothingElse) {
  for (int i = 0; i < 100; ++i) {
    FillEverywhere("a:" + std::to_string(i));
    FillEverywhere("b:" + std::to_string(i));
  }
  EXPECT_TRUE(Run(1, {kPrefix, "a:"})->value().has_value());
  for (int i = 0; i < 100; ++i) {
    for (int node = 0; node < 3; ++node) {
      EXPECT_FALSE(IsHeld(node, "a:" + std::to_string(i)));
      EXPECT_TRUE(IsHeld(node, "b:" + std::to_string(i)));
    }
  }
}

TEST_F(PurgeTest, OfAPrefixLeavesNoFlightToStoreWhatItRead) {
  cluster.backend->rows["a:1"] = "v1";
  cluster.backend->parked = true;
  auto before = cluster.StartGet(0, "a:1");
  auto other = cluster.StartGet(0, "k");
  cluster.Run();
  Run(1, {kPrefix, "a:"});
  cluster.backend->parked = false;
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(before->value, "v1");
  EXPECT_FALSE(IsHeld(0, "a:1"));
  EXPECT_EQ(other->value, "v1");
  EXPECT_TRUE(IsHeld(0, "k"));
}

}  // namespace
}  // namespace cistern::test
