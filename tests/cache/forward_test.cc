// How a node answers for keys that another node owns: one running, one collecting.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

cache::GroupConfig WithoutCopies() {
  cache::GroupConfig config;
  config.name = "g";
  config.hot_sample = 0;
  return config;
}

TEST(Forward, AKeyIsLoadedOnceInTheWholeCluster) {
  FakeCluster cluster(3, WithoutCopies());
  for (int node = 0; node < 3; ++node)
    EXPECT_EQ(cluster.Get(node, "k")->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 1);
  EXPECT_EQ(cluster.stats(1).peer_loads.value(), 1u);
  EXPECT_EQ(cluster.stats(0).server_requests.value(), 2u);
  EXPECT_EQ(cluster.stats(1).local_loads.value(), 0u);
}

TEST(Forward, WithoutHotCopiesEveryGetGoesToTheOwner) {
  FakeCluster cluster(2, WithoutCopies());
  for (int i = 0; i < 20; ++i)
    cluster.Get(1, "k");
  EXPECT_EQ(cluster.gets_sent, 20);
  EXPECT_EQ(cluster[0].cache->store().HolderRecords(), 0u);
}

TEST(Forward, AThousandColdGetsOfOneKeyCostOneLoadAndTwoMessages) {
  cache::GroupConfig config = WithoutCopies();
  config.hot_sample = 1'000'000;  // copies are on, but the first request does not wish one
  FakeCluster cluster(2, config);
  cluster.backend->parked = true;
  std::vector<FakeCluster::GetPtr> gets;
  for (int i = 0; i < 500; ++i)
    gets.push_back(cluster.StartGet(1, "k"));
  cluster.Run();  // the first request is on its way
  for (int i = 0; i < 500; ++i)
    gets.push_back(cluster.StartGet(1, "k"));
  cluster.Run();
  cluster.backend->parked = false;
  cluster.AnswerLoads();
  cluster.Run();
  for (const auto& get : gets)
    EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 1);
  EXPECT_EQ(cluster.gets_sent, 2);
}

TEST(Forward, AGetThatArrivesAfterTheSendingIsNotAnsweredByAReplyWithoutALease) {
  FakeCluster cluster(2, WithoutCopies());
  cluster.Get(0, "k");
  auto first = cluster.StartGet(1, "k");
  cluster.hold_frames = true;
  cluster.Run();
  ASSERT_EQ(cluster.gets_sent, 1);
  auto second = cluster.StartGet(1, "k");
  cluster.Run();
  EXPECT_EQ(cluster.gets_sent, 1) << "it waits for the running one";
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(first->value, "v1");
  EXPECT_EQ(second->value, "v1");
  EXPECT_EQ(cluster.gets_sent, 2);
}

TEST(Forward, AReplyWithALeaseAnswersThoseWhoCameAfterItsSendingToo) {
  cache::GroupConfig config = WithoutCopies();
  config.hot_sample = 1;
  FakeCluster cluster(2, config);
  auto first = cluster.StartGet(1, "k");
  cluster.hold_frames = true;
  cluster.Run();
  auto second = cluster.StartGet(1, "k");
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(first->value, "v1");
  EXPECT_EQ(second->value, "v1");
  EXPECT_EQ(cluster.gets_sent, 1);
}

TEST(Forward, AReplyWhoseLeaseRanOutOnTheWayAnswersOnlyItsOwnWaiters) {
  cache::GroupConfig config = WithoutCopies();
  config.hot_sample = 1;
  FakeCluster cluster(2, config);
  auto first = cluster.StartGet(1, "k");
  cluster.hold_frames = true;
  cluster.Run();
  auto second = cluster.StartGet(1, "k");
  cluster.clock.Advance(1s);  // hot_lease, counted from the sending
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(first->value, "v1");
  EXPECT_EQ(second->value, "v1");
  EXPECT_EQ(cluster.gets_sent, 2);
}

TEST(Forward, TheCollectingRequestLeavesAfterHalfItsTimeThoughTheFirstHangs) {
  FakeCluster cluster(2, WithoutCopies());
  cluster.StartGet(1, "k");
  cluster.hold_frames = true;
  cluster.Run();
  auto second = cluster.StartGet(1, "k", 4s);
  cluster.Run();
  cluster.clock.Advance(1999ms);
  cluster.Run();
  EXPECT_EQ(cluster.gets_sent, 1);
  cluster.clock.Advance(1ms);
  cluster.Run();
  EXPECT_EQ(cluster.gets_sent, 2);
  cluster.frames.pop_front();  // the first never comes back
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(second->value, "v1");
}

TEST(Forward, AnErrorOfTheRunningRequestAnswersOnlyItsOwnWaiters) {
  FakeCluster cluster(2, WithoutCopies());
  cluster.backend->parked = true;
  auto first = cluster.StartGet(1, "k");
  cluster.Run();
  auto second = cluster.StartGet(1, "k");
  cluster.Run();
  cluster.backend->failure = "boom";
  cluster.AnswerLoads();
  cluster.Run();
  ASSERT_TRUE(first->error.has_value());
  EXPECT_EQ(first->error->code, cache::ErrorCode::kBackend);
  EXPECT_FALSE(second->answered);
  cluster.backend->failure.reset();
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(second->value, "v1");
}

TEST(Forward, ARequestThatNobodyWaitsForAnyMoreIsNotSent) {
  FakeCluster cluster(2, WithoutCopies());
  cluster.hold_frames = true;
  cluster.StartGet(1, "k");
  cluster.Run();
  auto impatient = cluster.StartGet(1, "k", 100ms);
  cluster.Run();
  cluster.clock.Advance(100ms);
  cluster.Run();
  EXPECT_TRUE(impatient->error.has_value());
  cluster.hold_frames = false;
  cluster.Run();
  EXPECT_EQ(cluster.gets_sent, 1);
  EXPECT_EQ(cluster[1].cache->groups()[0]->waiting(), 0u);
  EXPECT_EQ(cluster[1].cache->LoadsInFlight(), 0u);
}

TEST(Forward, AfterALostLinkTheOwnerIsAskedAgainAndNotTheBackend) {
  FakeCluster cluster(2, WithoutCopies());
  cluster.Get(0, "k");
  cluster.links_lost = 1;
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
  EXPECT_EQ(cluster.gets_sent, 2);
  EXPECT_EQ(cluster.stats(1).peer_errors.value(), 1u);
  EXPECT_EQ(cluster.stats(1).local_loads.value(), 0u);
  EXPECT_EQ(cluster[1].cache->groups()[0]->waiting(), 0u);
}

TEST(Forward, AGroupWithoutABackendHasNothingToLoadInstead) {
  cache::GroupConfig config = WithoutCopies();
  config.has_backend = false;
  FakeCluster cluster(2, config);
  cluster[0].reachable = false;
  auto get = cluster.Get(1, "k");
  ASSERT_TRUE(get->error.has_value());
  EXPECT_EQ(get->error->text, "owner a cannot be reached");
}

// The deadlock of mailgun/groupcache #72: each node believes that the other one owns the key.
TEST(Forward, NodesThatTakeEachOtherForTheOwnerBothAnswer) {
  FakeCluster cluster(2, WithoutCopies());
  cluster[0].owner_of = [](std::string_view) { return 1u; };
  cluster[1].owner_of = [](std::string_view) { return 0u; };
  cluster.backend->parked = true;
  auto a = cluster.StartGet(0, "k");
  auto b = cluster.StartGet(1, "k");
  cluster.Run();
  ASSERT_FALSE(cluster.backend->waiting.empty())
      << "each loads for the other, nobody waits in a ring";
  cluster.backend->parked = false;
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(a->value, "v1");
  EXPECT_EQ(b->value, "v1");
  EXPECT_EQ(cluster[0].cache->store().Counts(0).items(cache::Role::kMain), 0u)
      << "not owned: not kept";
}

TEST(Forward, ANodeWithoutABackendSaysThatItIsNotTheOwner) {
  cache::GroupConfig config = WithoutCopies();
  config.has_backend = false;
  FakeCluster cluster(2, config);
  cluster[0].owner_of = [](std::string_view) { return 1u; };
  cluster[1].owner_of = [](std::string_view) { return 0u; };
  EXPECT_EQ(cluster.Get(0, "k")->error->code, cache::ErrorCode::kNotOwner);
}

TEST(Forward, ErrorKindsSurviveTheHop) {
  FakeCluster cluster(2, WithoutCopies());
  cluster.backend->failure = "on fire";
  auto get = cluster.Get(1, "k");
  ASSERT_TRUE(get->error.has_value());
  EXPECT_EQ(get->error->code, cache::ErrorCode::kBackend);
  EXPECT_EQ(get->error->text, "g: on fire");
  EXPECT_EQ(cluster.stats(1).peer_errors.value(), 0u);
  EXPECT_EQ(cluster.backend->loads["k"], 1) << "the asker must not load it again";
}

// What a peer asks and the owner has is answered without a flight, and leased like any other.
TEST(Forward, WhatTheOwnerHasIsFoundForAPeerAtOnce) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(0, "k");
  const auto look = [&](int node, std::string_view key, cache::Wish wish, uint64_t epoch = 1) {
    std::optional<cache::PeerReply> taken;
    const bool found = cluster[node].cache->FindForPeer(
        *cluster[node].executor,
        {.key = key, .node = 1, .incarnation = 1, .epoch = epoch, .wish = wish, .deadline = {}},
        cache::Key::Of(key), cluster.clock.Now(), [&](const cache::PeerReply& reply) {
          taken = reply;
          taken->Own();
        });
    EXPECT_EQ(found, taken.has_value());
    return taken;
  };
  const auto plain = look(0, "k", cache::Wish::kNone);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->bytes(), "v1");
  EXPECT_EQ(plain->source, cache::Source::kMain);
  EXPECT_EQ(plain->lease, 0s);
  const auto leased = look(0, "k", cache::Wish::kLease);
  EXPECT_EQ(leased->lease, 1s);
  EXPECT_GT(leased->sequence, 0u);
  EXPECT_EQ(look(0, "k", cache::Wish::kLease, 2)->lease, 0s);  // it has another table of owners
  EXPECT_FALSE(look(0, "absent", cache::Wish::kNone));
  EXPECT_FALSE(look(1, "k", cache::Wish::kNone));  // not its owner
  EXPECT_EQ(cluster.stats(0).server_requests.value(), 3u);
  // The lease is recalled like any other.
  const auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_EQ(cluster.notices_sent, 1);
  EXPECT_EQ(**deleted, 1);
  EXPECT_FALSE(look(0, "k", cache::Wish::kNone));
}

TEST(Forward, LatenciesOfRequestsAndLoadsAreCounted) {
  FakeCluster cluster(2, WithoutCopies());
  cluster.backend->parked = true;
  cluster.StartGet(1, "k");
  cluster.Run();
  cluster.clock.Advance(3ms);
  cluster.backend->parked = false;
  cluster.AnswerLoads();
  cluster.Run();
  const auto& load = cluster[0].cache->groups()[0]->latencies(0).load;
  const auto& forward = cluster[1].cache->groups()[0]->latencies(0).forward;
  EXPECT_EQ(load.sum_nanoseconds(), 3'000'000u);
  EXPECT_EQ(forward.sum_nanoseconds(), 3'000'000u);
  EXPECT_EQ(load.bucket(22), 1u) << "2^21 to 2^22 ns";
}

TEST(Forward, InvalidationsThatReachANonOwnerRunNothing) {
  FakeCluster cluster(2);
  cluster.Get(0, "k");
  cache::Recalls recalls;
  const std::string keys[] = {"k"};
  const auto result = cluster[1].cache->InvalidateHere(*cluster[1].executor, keys, &recalls);
  EXPECT_EQ(result.error().code, cache::ErrorCode::kNotOwner);
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
}

TEST(Forward, ADelOfKeysOfSeveralOwnersReachesThemAll) {
  FakeCluster cluster(3, WithoutCopies());
  for (int i = 0; i < 3; ++i) {
    cluster[i].owner_of = [](std::string_view key) {
      return static_cast<cache::NodeId>(key.back() - '0');
    };
  }
  for (const char* key : {"k0", "k1", "k2"}) {
    cluster.backend->rows[key] = "v";
    cluster.Get(0, key);
  }
  auto deleted = cluster.StartDelete(1, {"k0", "k1", "k2", "k0"});
  cluster.Run();
  EXPECT_EQ(deleted->value().value(), 3);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(cluster[i].cache->store().Counts(0).items(cache::Role::kMain), 0u);
}

}  // namespace
}  // namespace cistern::test
