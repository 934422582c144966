// Leased copies: granting, holding, renewing, ending, recalling.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

size_t Copies(FakeCluster& cluster, int node) {
  return cluster[node].cache->store().Counts(0).items(cache::Role::kHot);
}

TEST(Lease, ACopyAnswersUntilItEndsCountedFromTheSending) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(1, "k");
  EXPECT_EQ(Copies(cluster, 1), 1u);
  EXPECT_EQ(cluster[0].cache->store().HolderRecords(), 1u);
  cluster.clock.Advance(700ms);
  EXPECT_TRUE(cluster.Get(1, "k")->was_hit);
  EXPECT_EQ(cluster.gets_sent, 1);
  cluster.clock.Advance(300ms);
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit);
  EXPECT_EQ(cluster.gets_sent, 2);
  EXPECT_EQ(cluster.stats(1).hits_hot.value(), 1u);
}

TEST(Lease, ACopyHitInItsLastQuarterIsRenewedOnceAndNeverStalls) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(1, "k");
  for (int i = 0; i < 100; ++i) {
    cluster.clock.Advance(100ms);
    EXPECT_TRUE(cluster.Get(1, "k")->was_hit) << i;
    EXPECT_TRUE(cluster.Get(1, "k")->was_hit) << i;
  }
  EXPECT_GE(cluster.gets_sent, 10);
  EXPECT_LE(cluster.gets_sent, 15);
  EXPECT_EQ(cluster.backend->loads["k"], 1);
}

TEST(Lease, OneForwardedGetInHotSampleWishesOne) {
  cache::GroupConfig config = AlwaysHot();
  config.hot_sample = 10;
  FakeCluster cluster(2, config);
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "cold" + std::to_string(i);
    cluster.backend->rows[key] = "v";
    cluster.Get(1, key);
  }
  EXPECT_GT(Copies(cluster, 1), 200u);
  EXPECT_LT(Copies(cluster, 1), 400u);
}

TEST(Lease, AKeyWhoseLastCopyWasHitAlwaysWishesOne) {
  cache::GroupConfig config = AlwaysHot();
  config.hot_sample = 1'000'000;
  FakeCluster cluster(2, config);
  // Two in the air at once: the second, collecting request asks for a lease.
  cluster.hold_frames = true;
  cluster.StartGet(1, "k");
  cluster.Run();
  cluster.StartGet(1, "k");
  cluster.hold_frames = false;
  cluster.Run();
  ASSERT_EQ(Copies(cluster, 1), 1u);
  EXPECT_TRUE(cluster.Get(1, "k")->was_hit);
  cluster.clock.Advance(1500ms);
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit);
  EXPECT_TRUE(cluster.Get(1, "k")->was_hit) << "the one GET brought a new copy";
}

TEST(Lease, NotFoundIsLeasedLikeAValueAndCreatingTheKeyRecallsIt) {
  cache::GroupConfig config = AlwaysHot();
  config.negative_ttl = 1h;
  FakeCluster cluster(2, config);
  EXPECT_FALSE(cluster.Get(1, "new")->value.has_value());
  EXPECT_TRUE(cluster.Get(1, "new")->was_hit);
  auto stored = cluster.StartSet(0, "new", "born");
  cluster.Run();
  EXPECT_TRUE(stored->value().value());
  EXPECT_EQ(cluster.notices_sent, 1);
  EXPECT_EQ(cluster.Get(1, "new")->value, "born");
}

TEST(Lease, ACopyLivesNoLongerThanWhatItCopies) {
  cache::GroupConfig config = AlwaysHot();
  config.ttl = 300ms;
  FakeCluster cluster(2, config);
  cluster.Get(0, "k");
  cluster.clock.Advance(100ms);
  cluster.Get(1, "k");
  cluster.clock.Advance(199ms);
  EXPECT_TRUE(cluster.Get(1, "k")->was_hit);
  cluster.clock.Advance(1ms);
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit);
}

TEST(Lease, ACopyOfWhatEndsBeforeTheLeaseDoesIsNotRenewed) {
  cache::GroupConfig config = AlwaysHot();
  config.ttl = 200ms;  // less than a quarter of the lease
  FakeCluster cluster(2, config);
  cluster.Get(1, "k");
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(cluster.Get(1, "k")->was_hit);
  EXPECT_EQ(cluster.gets_sent, 1);
}

TEST(Lease, NoneIsGrantedAcrossADifferenceOfEpochs) {
  FakeCluster cluster(2, AlwaysHot());
  cluster[1].epoch = 2;
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
  EXPECT_EQ(Copies(cluster, 1), 0u);
  EXPECT_EQ(cluster[0].cache->store().HolderRecords(), 0u);
}

TEST(Lease, ANewIncarnationOfTheOwnerEndsTheOldOnesCopiesAndRequests) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.backend->rows["other"] = "v1";
  cluster.Get(1, "k");
  auto sent = cluster.StartGet(1, "other");
  cluster.hold_frames = true;
  cluster.Run();
  cluster[1].cache->PeerHeard();
  EXPECT_EQ(Copies(cluster, 1), 0u);
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(sent->value, "v1");
  EXPECT_EQ(Copies(cluster, 1), 0u) << "what was asked of the old one is not kept";
}

TEST(Recall, ADelIsAnsweredOnlyWhenEveryHolderHasAcknowledged) {
  FakeCluster cluster(3, AlwaysHot());
  cluster.Get(1, "k");
  cluster.Get(2, "k");
  cluster.hold_notices = true;
  auto deleted = cluster.StartDelete(2, {"k"});
  cluster.Run();
  EXPECT_FALSE(deleted->has_value());
  EXPECT_EQ(cluster.notices_sent, 2);
  cluster.hold_notices = false;
  cluster.backend->rows["k"] = "v2";
  cluster.Run();
  EXPECT_EQ(deleted->value().value(), 1);
  for (int node = 0; node < 3; ++node)
    EXPECT_EQ(cluster.Get(node, "k")->value, "v2");
}

TEST(Recall, AHolderThatDoesNotAnswerIsWaitedForUntilItsLeaseHasEnded) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(1, "k");
  cluster.hold_notices = true;
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  cluster.clock.Advance(1029ms);  // the lease x 1.01 + 20 ms, less 1 ms
  cluster.Run();
  EXPECT_FALSE(deleted->has_value());
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit) << "by then the holder itself has let go";
  cluster.clock.Advance(1ms);
  cluster.Run();
  EXPECT_TRUE(deleted->has_value());
}

TEST(Recall, AStartedNodeConfirmsNothingUntilTheLeasesOfItsLastStartHaveEnded) {
  FakeCluster cluster(2, AlwaysHot());
  cluster[0].cache->HonourLeases(1s);
  auto deleted = cluster.StartDelete(1, {"k"});
  auto stored = cluster.StartSet(0, "other", "x");
  cluster.clock.Advance(1s);
  cluster.Run();
  EXPECT_FALSE(deleted->has_value());
  EXPECT_FALSE(stored->has_value());
  EXPECT_EQ(cluster.Get(0, "other")->value, "x") << "reads are answered all the time";
  cluster.clock.Advance(31ms);
  cluster.Run();
  EXPECT_TRUE(deleted->has_value());
  EXPECT_TRUE(stored->has_value());
  EXPECT_EQ(cluster.notices_sent, 0);
}

TEST(Recall, AStartedNodeConfirmsNothingUntilItsPeersCanHaveHeardOfIt) {
  FakeCluster cluster(2, AlwaysHot());
  cluster[0].cache->HonourLeases(1s);
  cluster[0].cache->AwaitPeers(2250ms);
  cluster[0].reachable = false;  // for node 1, which has not heard of the start yet
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.clock.Advance(2249ms);
  cluster.Run();
  EXPECT_FALSE(deleted->has_value());
  cluster.clock.Advance(1ms);
  cluster.Run();
  EXPECT_TRUE(deleted->has_value());
}

TEST(Recall, APeersLongerLeaseLengthensTheGraceAndAShorterOneDoesNot) {
  FakeCluster cluster(2, AlwaysHot());
  cluster[0].cache->HonourLeases(1s);
  cluster[0].cache->HonourLeases(5s);
  cluster[0].cache->HonourLeases(2s);
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.clock.Advance(5s);
  cluster.Run();
  EXPECT_FALSE(deleted->has_value());
  cluster.clock.Advance(100ms);
  cluster.Run();
  EXPECT_TRUE(deleted->has_value());
}

TEST(Recall, ASecondDelWaitsForTheSameHolders) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(1, "k");
  cluster.hold_notices = true;
  auto first = cluster.StartDelete(0, {"k"});
  auto second = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_FALSE(second->has_value());
  cluster.hold_notices = false;
  cluster.Run();
  EXPECT_TRUE(first->has_value());
  EXPECT_EQ(second->value().value(), 0);
  EXPECT_EQ(cluster.notices_sent, 2) << "invalidations are never collapsed";
}

TEST(Recall, RecordsOutliveTheEntry) {
  cache::Store::Options options;
  options.memory = 8 << 20;
  FakeCluster cluster(2, AlwaysHot(), options);
  cluster.Get(1, "k");
  // Flood the owner: the entry goes, the record stays.
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "flood" + std::to_string(i);
    cluster.backend->rows[key] = std::string(4000, 'x');
    cluster.Get(0, key);
  }
  ASSERT_FALSE(cluster[0].cache->EndHere(cache::Key::Of("k"))->has_value()) << "k must be evicted";
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_EQ(cluster.notices_sent, 1);
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit);
}

TEST(Recall, ANoticeDetachesARequestUnderWaySoItsCopyIsNotKept) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(0, "k");
  auto get = cluster.StartGet(1, "k");
  cluster.hold_frames = true;
  cluster.Run();
  // The owner grants and answers v1 ...
  auto request = std::move(cluster.frames.front());
  cluster.frames.pop_front();
  request();
  cluster.Run();
  ASSERT_EQ(cluster.frames.size(), 1u) << "the reply is on its way";
  // ... the DEL overtakes the reply ...
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_TRUE(deleted->has_value());
  cluster.backend->rows["k"] = "v2";
  // ... which still answers who waited, and nobody else.
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(Copies(cluster, 1), 0u);
  EXPECT_EQ(cluster.Get(1, "k")->value, "v2");
}

TEST(Recall, ADetachedFlightGrantsNoLease) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.backend->parked = true;
  auto get = cluster.StartGet(1, "k");
  cluster.Run();
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_TRUE(deleted->has_value());
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(Copies(cluster, 1), 0u);
  EXPECT_EQ(cluster[0].cache->store().HolderRecords(), 0u);
}

TEST(Recall, SetTellsHoldersBeforeItAnswers) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(1, "k");
  cluster.hold_notices = true;
  auto stored = cluster.StartSet(0, "k", "new");
  cluster.Run();
  EXPECT_FALSE(stored->has_value());
  cluster.hold_notices = false;
  cluster.Run();
  EXPECT_TRUE(stored->has_value());
  EXPECT_EQ(cluster.Get(1, "k")->value, "new");
}

TEST(Recall, AFullTableOfRecordsGrantsNoLease) {
  cache::Store::Options options;
  options.holder_records = 64;  // one a shard
  FakeCluster cluster(2, AlwaysHot(), options);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i);
    cluster.backend->rows[key] = "v";
    cluster.Get(1, key);
  }
  EXPECT_EQ(cluster[0].cache->store().HolderRecords(), 64u);
  EXPECT_EQ(Copies(cluster, 1), 64u);
}

}  // namespace
}  // namespace cistern::test
