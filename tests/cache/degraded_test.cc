// What a node answers while it cannot reach the owner: degraded copies.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

cache::GroupConfig Group() {
  cache::GroupConfig config;
  config.name = "g";
  return config;
}

uint64_t Copies(FakeCluster& cluster) {
  return cluster[1].cache->store().Counts(0).items(cache::Role::kHot);
}

// Node 0, the owner, is there again.
void Hear(FakeCluster& cluster) {
  cluster[0].reachable = true;
  cluster[1].cache->PeerHeard();
}

TEST(Degraded, TheBackendSeesOneLoadAKeyAndLease) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
    cluster.clock.Advance(9ms);
  }
  EXPECT_EQ(cluster.backend->loads["k"], 1);
  cluster.clock.Advance(100ms);  // 1 s after the load was sent
  cluster.backend->rows["k"] = "v2";
  EXPECT_EQ(cluster.Get(1, "k")->value, "v2");
  EXPECT_EQ(cluster.backend->loads["k"], 2);
  EXPECT_EQ(cluster.stats(1).degraded_loads.value(), 2u);
  EXPECT_EQ(cluster.stats(1).local_loads.value(), 2u);
  EXPECT_EQ(cluster[1].cache->store().Counts(0).items(cache::Role::kMain), 0u);
}

TEST(Degraded, ACopyIsKeptThoughTheGroupKeepsNoHotOnes) {
  cache::GroupConfig config = Group();
  config.hot_sample = 0;
  FakeCluster cluster(2, config);
  cluster[0].reachable = false;
  cluster.Get(1, "k");
  EXPECT_TRUE(cluster.Get(1, "k")->was_hit);
}

TEST(Degraded, GetsThatComeWhileTheLoadRunsAreAnsweredByIt) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.backend->parked = true;
  std::vector<FakeCluster::GetPtr> gets;
  for (int i = 0; i < 10; ++i) {
    gets.push_back(cluster.StartGet(1, "k"));
    cluster.Run();
  }
  cluster.AnswerLoads();
  cluster.Run();
  for (const auto& get : gets)
    EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 1);
}

TEST(Degraded, NobodyJoinsALoadLaterThanALeaseAfterItsSending) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.backend->parked = true;
  auto first = cluster.StartGet(1, "k");
  cluster.Run();
  auto second = cluster.StartGet(1, "k");
  cluster.Run();
  cluster.clock.Advance(1s);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(first->value, "v1");
  EXPECT_FALSE(second->answered);
  EXPECT_EQ(Copies(cluster), 0u);
  cluster.backend->rows["k"] = "v2";
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(second->value, "v2");
}

TEST(Degraded, TheSecondLoadWaitsOutTheLeaseHoweverShortTheRequestsTimeIs) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.backend->parked = true;
  for (int i = 0; i < 9; ++i) {
    cluster.StartGet(1, "k", 200ms);
    cluster.Run();
    cluster.clock.Advance(110ms);
    cluster.Run();
  }
  EXPECT_EQ(cluster.backend->loads["k"], 1);
}

TEST(Degraded, AnAbsentKeyIsKnownAsAbsentForALease) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  EXPECT_FALSE(cluster.Get(1, "nothing")->value.has_value());
  EXPECT_TRUE(cluster.Get(1, "nothing")->was_hit);
  EXPECT_EQ(cluster.backend->loads["nothing"], 1);
}

TEST(Degraded, ACopyLivesNoLongerThanWhatItCopies) {
  cache::GroupConfig config = Group();
  config.ttl = 100ms;
  FakeCluster cluster(2, config);
  cluster[0].reachable = false;
  cluster.Get(1, "k");
  cluster.clock.Advance(100ms);
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit);
}

TEST(Degraded, TheOwnersHelloDropsCopiesAtOnce) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.Get(1, "k");
  EXPECT_EQ(Copies(cluster), 1u);
  Hear(cluster);
  EXPECT_EQ(Copies(cluster), 0u);
  cluster.backend->rows["k"] = "v2";
  EXPECT_EQ(cluster.Get(1, "k")->value, "v2");
  EXPECT_EQ(cluster.gets_sent, 1);
}

TEST(Degraded, AReplyThatComesWhenTheOwnerIsHeardAgainIsThrownAwayAndAskedOfTheOwner) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.backend->parked = true;
  auto get = cluster.StartGet(1, "k");
  cluster.Run();
  auto late = std::exchange(cluster.backend->waiting, {});
  Hear(cluster);
  cluster.backend->parked = false;
  FakeOrigin::Answer(late.front(), *cluster.backend);
  cluster.backend->rows["k"] = "v2";
  cluster.Run();
  EXPECT_EQ(get->value, "v2");
  EXPECT_EQ(cluster.gets_sent, 1);
  EXPECT_EQ(cluster[1].cache->groups()[0]->waiting(), 0u);
  EXPECT_EQ(cluster[1].cache->LoadsInFlight(), 0u);
}

TEST(Degraded, AReplyAfterAHelloIsThrownAwayThoughTheOwnerIsSilentAgain) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.backend->parked = true;
  auto get = cluster.StartGet(1, "k");
  cluster.Run();
  auto late = std::exchange(cluster.backend->waiting, {});
  Hear(cluster);
  cluster[0].reachable = false;
  cluster.backend->parked = false;
  FakeOrigin::Answer(late.front(), *cluster.backend);
  cluster.backend->rows["k"] = "v2";
  cluster.Run();
  EXPECT_EQ(get->value, "v2") << "by another load, sent after the hello";
}

TEST(Degraded, WhoIsTheOnlyOneNotToHearTheOwnerIsAnsweredOnceALoadAndKeepsNothing) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster[0].heard_by_others = true;
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 1);
  EXPECT_EQ(Copies(cluster), 0u) << "a DEL at the owner would not find it";
}

TEST(Degraded, ANoticeDetachesTheLoad) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.backend->parked = true;
  auto get = cluster.StartGet(1, "k");
  cluster.Run();
  cluster[1].cache->DropCopies({"k", 1});
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(Copies(cluster), 0u);
}

TEST(Degraded, AFailureIsToldAndNotKept) {
  FakeCluster cluster(2, Group());
  cluster[0].reachable = false;
  cluster.backend->failure = "boom";
  EXPECT_EQ(cluster.Get(1, "k")->error->code, cache::ErrorCode::kBackend);
  cluster.backend->failure.reset();
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
}

}  // namespace
}  // namespace cistern::test
