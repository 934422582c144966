// The table of owners changes while a cache is full and loads are under way.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

struct OwnershipTest : testing::Test {
  OwnershipTest() : cluster(3, AlwaysHot()) {}

  // Node `i` takes `owner` for the owner of every key from now on. The sweep runs with Run().
  void StartMove(int i, int owner) {
    FakeNode& node = cluster[i];
    const auto id = static_cast<cache::NodeId>(owner);
    node.cache->ChangeOwners({.gains = owner == i && !node.Owner("k").is_self,
                              .longest_lease = 1s,
                              .publish = [&node, id] { node.owner_of = [id](auto) { return id; }; },
                              .swept = [this] { ++swept; }});
    ++node.epoch;
  }
  void Move(int i, int owner) {
    StartMove(i, owner);
    cluster.Run();
  }
  size_t Held(int i, cache::Role role) { return cluster[i].cache->store().Counts(0).items(role); }

  FakeCluster cluster;
  int swept = 0;
};

TEST_F(OwnershipTest, WhatIsLostIsSwept) {
  cluster.Get(0, "k");
  Move(0, 1);
  EXPECT_EQ(swept, 1);
  EXPECT_EQ(Held(0, cache::Role::kMain), 0u);
}

TEST_F(OwnershipTest, WhatIsKeptStaysWarm) {
  cluster.Get(0, "k");
  Move(0, 0);
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
  EXPECT_EQ(cluster.backend->loads["k"], 1);
}

TEST_F(OwnershipTest, AHitBeforeTheSweepAsksWhoOwnsTheKey) {
  cluster.Get(0, "k");
  cluster.backend->rows["k"] = "v2";
  StartMove(0, 1);
  Move(1, 1);
  EXPECT_EQ(cluster.Get(0, "k")->value, "v2");
}

TEST_F(OwnershipTest, CopiesHadOfTheFormerOwnerAreDropped) {
  cluster.Get(1, "k");
  EXPECT_EQ(Held(1, cache::Role::kHot), 1u);
  StartMove(1, 2);
  EXPECT_FALSE(cluster.StartGet(1, "k")->was_hit);
}

TEST_F(OwnershipTest, AFlightOfALostSlotAnswersItsWaitersAndKeepsNothingThoughTheSlotComesBack) {
  cluster.backend->parked = true;
  auto get = cluster.Get(0, "k");
  EXPECT_FALSE(get->answered);
  Move(0, 1);
  Move(0, 0);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(Held(0, cache::Role::kMain), 0u);
}

TEST_F(OwnershipTest, AGetThatFindsItsSlotLostUnderTheLockGoesToTheNewOwner) {
  Move(1, 1);
  // The first look still sees the former owner, as a thread that was held up in between does.
  int looks = 0;
  cluster[0].owner_of = [&](auto) { return cache::NodeId{looks++ == 0 ? 0u : 1u}; };
  EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
  EXPECT_EQ(cluster.stats(0).local_loads.value(), 0u);
  EXPECT_EQ(cluster.stats(0).peer_loads.value(), 1u);
}

TEST_F(OwnershipTest, AChangeThatFindsItsSlotLostUnderTheLockIsNotMade) {
  cluster[0].owner_of = [&](auto) { return cache::NodeId{1}; };  // a SET looks there only
  auto set = cluster.StartSet(0, "k", "v2");
  cluster.Run();
  EXPECT_EQ(set->value().error().code, cache::ErrorCode::kNotOwner);
  EXPECT_EQ(Held(0, cache::Role::kMain), 0u);
  int looks = 0;
  const std::string keys[] = {"k"};
  cache::Recalls recalls;
  cluster[0].owner_of = [&](auto) { return cache::NodeId{looks++ == 0 ? 0u : 1u}; };
  const auto erased = cluster[0].cache->InvalidateHere(*cluster[0].executor, keys, &recalls);
  EXPECT_EQ(erased.error().code, cache::ErrorCode::kNotOwner);
}

TEST_F(OwnershipTest, WhoGainsConfirmsNothingUntilTheFormerOwnersLeasesAreOver) {
  cluster.clock.Advance(1h);
  Move(1, 1);
  auto deleted = cluster.StartDelete(1, {"k"});
  cluster.Run();
  EXPECT_FALSE(*deleted);
  cluster.clock.Advance(1100ms);
  cluster.Run();
  EXPECT_TRUE(deleted->value());
}

TEST_F(OwnershipTest, WhoGainsNothingConfirmsAtOnce) {
  cluster.clock.Advance(1h);
  Move(0, 0);
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_TRUE(deleted->value());
}

TEST_F(OwnershipTest, WhileMembersDisagreeAChangeIsToldToWhoHasNoLease) {
  cluster[0].dissenters = {{.node = 2, .incarnation = 1, .longest_lease = 1s}};
  cluster.hold_notices = true;
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_EQ(cluster.notices_sent, 1);
  EXPECT_FALSE(*deleted);
  cluster.hold_notices = false;
  cluster.Run();
  EXPECT_TRUE(deleted->value());
}

TEST_F(OwnershipTest, ADissenterThatHoldsALeaseIsToldOnce) {
  cluster[0].dissenters = {{.node = 2, .incarnation = 1, .longest_lease = 1s}};
  cluster.Get(2, "k");
  EXPECT_EQ(cluster[0].cache->store().HolderRecords(), 1u);
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_EQ(cluster.notices_sent, 1);
  EXPECT_TRUE(deleted->value());
}

TEST_F(OwnershipTest, ADissenterThatCannotBeToldIsWaitedForAsLongAsALease) {
  cluster[0].dissenters = {{.node = 2, .incarnation = 1, .longest_lease = 1s}};
  cluster.hold_notices = true;
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  cluster.clock.Advance(1s);
  cluster.Run();
  EXPECT_FALSE(*deleted);
  cluster.clock.Advance(31ms);
  cluster.Run();
  EXPECT_TRUE(deleted->value());
}

TEST_F(OwnershipTest, WhatIsHeldOfADisputedSlotEndsAfterALease) {
  cluster.Get(0, "k");
  cluster[0].disputed = true;
  cluster[0].cache->CutDisputed();
  cluster.Run();
  cluster.clock.Advance(999ms);
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
  cluster.clock.Advance(1ms);
  EXPECT_FALSE(cluster.Get(0, "k")->was_hit);
}

TEST_F(OwnershipTest, WhatIsLoadedOrStoredInADisputedSlotIsKeptForALeaseFromTheSending) {
  cluster[0].disputed = true;
  cluster.backend->parked = true;
  auto get = cluster.Get(0, "k");
  cluster.clock.Advance(400ms);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  cluster.StartSet(0, "written", "v");
  cluster.clock.Advance(599ms);
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
  cluster.clock.Advance(1ms);
  EXPECT_FALSE(cluster.StartGet(0, "k")->was_hit);
  EXPECT_TRUE(cluster.StartGet(0, "written")->was_hit);
  cluster.clock.Advance(400ms);
  EXPECT_FALSE(cluster.StartGet(0, "written")->was_hit);
}

TEST_F(OwnershipTest, ALoadOfADisputedSlotThatTakesLongerThanALeaseIsNotKept) {
  cluster[0].disputed = true;
  cluster.backend->parked = true;
  auto get = cluster.Get(0, "k");
  cluster.clock.Advance(1s);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(Held(0, cache::Role::kMain), 0u);
}

}  // namespace
}  // namespace cistern::test
