// How a node answers for keys that it owns: flights, what is kept, what is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

cache::GroupConfig Config() {
  cache::GroupConfig config;
  config.name = "g";
  return config;
}

void ExpectCountersAddUp(const cache::GroupStats& s) {
  EXPECT_EQ(s.gets.value(), s.hits_main.value() + s.hits_hot.value() + s.hits_stale.value() +
                                s.hits_negative.value() + s.loads.value() + s.refused.value());
}

TEST(Owner, LoadsAMissingKeyOnceAndThenHits) {
  FakeCluster cluster(1);
  EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
  for (int i = 0; i < 9; ++i)
    EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
  EXPECT_EQ(cluster.backend->loads["k"], 1);
  EXPECT_EQ(cluster.stats(0).hits_main.value(), 9u);
  ExpectCountersAddUp(cluster.stats(0));
}

TEST(Owner, ConcurrentGetsShareOneLoad) {
  FakeCluster cluster(1);
  cluster.backend->parked = true;
  auto a = cluster.StartGet(0, "k");
  auto b = cluster.StartGet(0, "k");
  cluster.Run();
  EXPECT_FALSE(a->answered);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(a->value, "v1");
  EXPECT_EQ(b->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 1);
  EXPECT_EQ(cluster.stats(0).loads.value(), 2u);
  EXPECT_EQ(cluster.stats(0).loads_deduped.value(), 1u);
}

// groupcache's TestNoDedup: two callers that missed one after the other must not load twice.
TEST(Owner, WhoMissedBeforeTheFlightLandedFindsTheEntryAtTheSecondLook) {
  FakeCluster cluster(1);
  auto late = std::make_shared<FakeCluster::GetResult>();
  const cache::Key key = cache::Key::Of("k");
  bool missed = false;
  cluster[0].cache->Find(
      *cluster[0].executor, {&key, 1}, cluster.clock.Now(),
      [&](size_t, const cache::Found& found) { missed = found.kind == cache::Found::Kind::kMiss; });
  ASSERT_TRUE(missed);
  cluster.Get(0, "k");
  cluster.StartMiss(0, "k", 5s, late);
  cluster.Run();
  EXPECT_EQ(late->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 1);
  EXPECT_EQ(cluster.stats(0).hits_main.value(), 1u);
  EXPECT_EQ(cluster[0].cache->store().Counts(0).items(cache::Role::kMain), 1u);
  ExpectCountersAddUp(cluster.stats(0));
}

TEST(Owner, NoCompletionRunsInsideTheCallThatBegan) {
  FakeCluster cluster(1);
  cluster.Get(0, "k");
  auto result = std::make_shared<FakeCluster::GetResult>();
  cluster.StartMiss(0, "k", 5s, result);
  EXPECT_FALSE(result->answered);
  cluster.Run();
  EXPECT_TRUE(result->answered);
}

TEST(Owner, EmptyValueNotFoundAndFailureAreThreeThings) {
  FakeCluster cluster(1);
  cluster.backend->rows["empty"] = "";
  auto empty = cluster.Get(0, "empty");
  EXPECT_EQ(empty->value, "");
  auto absent = cluster.Get(0, "absent");
  EXPECT_TRUE(absent->answered);
  EXPECT_FALSE(absent->value.has_value());
  EXPECT_FALSE(absent->error.has_value());
  cluster.backend->failure = "on fire";
  auto failed = cluster.Get(0, "other");
  ASSERT_TRUE(failed->error.has_value());
  EXPECT_EQ(failed->error->code, cache::ErrorCode::kBackend);
  EXPECT_EQ(failed->error->text, "g: on fire");
  EXPECT_EQ(cluster.stats(0).local_load_errors.value(), 1u);
}

TEST(Owner, AFailureIsNeverKept) {
  FakeCluster cluster(1);
  cluster.backend->failure = "down";
  cluster.Get(0, "k");
  cluster.backend->failure.reset();
  EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 2);
}

TEST(Owner, ABackendThatFailsIsToldOfOnceAndThatItAnswersAgainToo) {
  FakeCluster cluster(1);
  cluster.backend->failure = "down";
  cluster.Get(0, "k");
  cluster.Get(0, "k");
  cluster.backend->failure.reset();
  cluster.Get(0, "k");
  EXPECT_EQ(cluster.health, (std::vector<std::string>{"g: down", "well"}));
  cluster.backend->failure = "down again";
  cluster.Get(0, "soon");
  EXPECT_EQ(cluster.health.size(), 2u) << "so soon it would only fill the log";
  cluster.clock.Advance(10s);
  cluster.Get(0, "later");
  EXPECT_EQ(cluster.health.back(), "g: down again");
}

TEST(Owner, NotFoundIsKeptForNegativeTtlOnly) {
  cache::GroupConfig config = Config();
  config.negative_ttl = 5s;
  FakeCluster cluster(1, config);
  cluster.Get(0, "absent");
  EXPECT_TRUE(cluster.Get(0, "absent")->was_hit);
  EXPECT_EQ(cluster.stats(0).hits_negative.value(), 1u);
  cluster.clock.Advance(5s);
  EXPECT_FALSE(cluster.Get(0, "absent")->was_hit);
  EXPECT_EQ(cluster.backend->loads["absent"], 2);
  ExpectCountersAddUp(cluster.stats(0));
}

TEST(Owner, KeysThatAreTooLongAreAnsweredAndNeverKept) {
  cache::GroupConfig config = Config();
  config.negative_ttl = 5s;
  FakeCluster cluster(1, config);
  const std::string longest(cache::kMaxKeyBytes, 'k');
  for (const std::string& key : {longest + "k", std::string((1 << 18) + 3, 'k')}) {
    cluster.Get(0, key);
    EXPECT_FALSE(cluster.Get(0, key)->was_hit);
  }
  cluster.Get(0, longest);
  EXPECT_TRUE(cluster.Get(0, longest)->was_hit);
}

TEST(Owner, WithoutNegativeTtlNotFoundIsNotKept) {
  FakeCluster cluster(1);
  cluster.Get(0, "absent");
  cluster.Get(0, "absent");
  EXPECT_EQ(cluster.backend->loads["absent"], 2);
}

TEST(Owner, AnEntryExpiresAfterItsTtl) {
  cache::GroupConfig config = Config();
  config.ttl = 10s;
  FakeCluster cluster(1, config);
  cluster.Get(0, "k");
  cluster.clock.Advance(9999ms);
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
  cluster.clock.Advance(1ms);
  EXPECT_FALSE(cluster.Get(0, "k")->was_hit);
  EXPECT_EQ(cluster.backend->loads["k"], 2);
}

TEST(Owner, JitterShortensTtlsWithinItsPartAndSpreadsThem) {
  cache::GroupConfig config = Config();
  config.ttl = 1000s;
  config.ttl_jitter = 0.1;
  FakeCluster cluster(1, config);
  cache::Duration least = 1h;
  cache::Duration most = 0s;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(i);
    cluster.backend->rows[key] = "v";
    cluster.Get(0, key);
    const cache::Duration ttl =
        **cluster[0].cache->EndHere(cache::Key::Of(key)) - cluster.clock.Now();
    least = std::min(least, ttl);
    most = std::max(most, ttl);
  }
  EXPECT_GE(least, 900s);
  EXPECT_LE(most, 1000s);
  EXPECT_GT(most - least, 50s);
}

TEST(Owner, AWaitersOwnDeadlineHarmsNobodyElse) {
  FakeCluster cluster(1);
  cluster.backend->parked = true;
  auto hasty = cluster.StartGet(0, "k", 100ms);
  auto patient = cluster.StartGet(0, "k", 5s);
  cluster.Run();
  cluster.clock.Advance(100ms);
  cluster.Run();
  ASSERT_TRUE(hasty->error.has_value());
  EXPECT_EQ(hasty->error->text, "no answer within 100 ms");
  EXPECT_FALSE(patient->answered);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(patient->value, "v1");
}

TEST(Owner, ShutdownCompletesWhoeverWaits) {
  FakeCluster cluster(1);
  cluster.backend->parked = true;
  auto waiting = cluster.StartGet(0, "k");
  cluster.Run();
  cluster[0].cache->Shutdown();
  cluster.Run();
  ASSERT_TRUE(waiting->error.has_value());
  EXPECT_EQ(waiting->error->code, cache::ErrorCode::kShutdown);
  auto later = cluster.Get(0, "k");
  EXPECT_EQ(later->error->code, cache::ErrorCode::kShutdown);
}

TEST(Owner, AKeyWithoutAGroupIsRefusedByName) {
  cache::GroupConfig config = Config();
  config.prefix = "user:";
  FakeCluster cluster(1, config);
  auto result = cluster.Get(0, "k");
  ASSERT_TRUE(result->error.has_value());
  EXPECT_EQ(result->error->text, "no group serves key 'k'");
}

TEST(Owner, TheBackendSeesTheKeyWithoutItsPrefixWhereAsked) {
  cache::GroupConfig config = Config();
  config.prefix = "user:";
  config.strip_prefix = true;
  FakeCluster cluster(1, config);
  EXPECT_EQ(cluster.Get(0, "user:k")->value, "v1");
  EXPECT_EQ(cluster.backend->loads["k"], 1);
}

TEST(Owner, LoadsAndWaitersAboveTheirLimitsAreRefusedAndCounted) {
  cache::GroupConfig config = Config();
  config.max_loads = 1;
  config.max_waiters = 2;
  FakeCluster cluster(1, config);
  cluster.backend->parked = true;
  auto first = cluster.StartGet(0, "k");
  auto other = cluster.StartGet(0, "other");
  auto joined = cluster.StartGet(0, "k");
  auto third = cluster.StartGet(0, "k");
  cluster.Run();
  EXPECT_EQ(other->error->text, "g: 1 loads in flight");
  EXPECT_EQ(third->error->text, "g: 2 requests waiting");
  EXPECT_EQ(cluster.stats(0).refused.value(), 2u);
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(first->value, "v1");
  EXPECT_EQ(joined->value, "v1");
  cluster.backend->parked = false;
  EXPECT_TRUE(cluster.Get(0, "other")->answered);
  ExpectCountersAddUp(cluster.stats(0));
  EXPECT_EQ(cluster[0].cache->groups()[0]->waiting(), 0u);
  EXPECT_EQ(cluster[0].cache->LoadsInFlight(), 0u);
}

TEST(Owner, ValuesThatAreNotKeptCountAsInFlightUntilTheyAreDelivered) {
  cache::GroupConfig config = Config();
  config.max_value = 100;
  config.max_load_bytes = 1 << 20;
  FakeCluster cluster(1, config);
  cluster.backend->rows["big"] = std::string(2 << 20, 'x');
  cache::Result<cache::Answer> held;
  cluster[0].cache->Get(*cluster[0].executor, cache::Key::Of("big"), cluster.clock.Now() + 5s,
                        cache::Completion<cache::Result<cache::Answer>>::Make(
                            *cluster[0].executor, [&](cache::Result<cache::Answer> answer) {
                              held = std::move(answer);
                            }));
  cluster.Run();
  EXPECT_EQ(cluster.Get(0, "k")->error->text, "g: 1048576 bytes in flight");
  held = {};
  EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
  ExpectCountersAddUp(cluster.stats(0));
}

TEST(Owner, PressureOfClientsBuffersEvictsEntriesFirstAndThenRefusesLoads) {
  cache::Store::Options options;
  options.memory = 8 << 20;
  FakeCluster cluster(1, Config(), options);
  cache::Store& store = cluster[0].cache->store();
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i);
    cluster.backend->rows[key] = std::string(4000, 'v');
    cluster.Get(0, key);
  }
  const auto reclaim = [&] {
    for (int i = 0; i < 10; ++i)
      store.Reclaim(0, 1, cluster.clock);
  };
  {
    const cache::Charge buffers(store.budget(), cache::ChargeKind::kClients, 6 << 20);
    reclaim();
    EXPECT_EQ(store.budget().Excess(), 0u);
    EXPECT_GT(store.Counts(0).items(cache::Role::kMain), 100u);
    EXPECT_TRUE(cluster.Get(0, "k")->value.has_value());
  }
  const cache::Charge buffers(store.budget(), cache::ChargeKind::kClients, 9 << 20);
  reclaim();
  EXPECT_EQ(store.Counts(0).items(cache::Role::kMain), 0u);
  EXPECT_EQ(cluster.Get(0, "k")->error->text, "g: all of server.memory (8388608 bytes) is in use");
}

TEST(Owner, AStoredValueIsNotInFlightHoweverLongItIsPinned) {
  cache::GroupConfig config = Config();
  config.max_load_bytes = 1 << 20;
  FakeCluster cluster(1, config);
  cluster.backend->rows["big"] = std::string(2 << 20, 'x');
  cluster.Get(0, "big");
  EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
  EXPECT_EQ(cluster[0].cache->store().in_flight(0).used(), 0u);
}

TEST(Owner, AValueAboveMaxValueIsAnsweredButNotKept) {
  cache::GroupConfig config = Config();
  config.max_value = 100;
  FakeCluster cluster(1, config);
  cluster.backend->rows["big"] = std::string(101, 'x');
  EXPECT_EQ(cluster.Get(0, "big")->value->size(), 101u);
  EXPECT_EQ(cluster[0].cache->store().Counts(0).items(cache::Role::kMain), 0u);
}

TEST(Owner, AnEntryAboveAnEighthOfTheBudgetIsAnsweredAndNothingElseIsEvicted) {
  cache::Store::Options options;
  options.memory = 8 << 20;
  FakeCluster cluster(1, Config(), options);
  for (int i = 0; i < 100; ++i) {
    const std::string key = "k" + std::to_string(i);
    cluster.backend->rows[key] = "v";
    cluster.Get(0, key);
  }
  cluster.backend->rows["big"] = std::string(2 << 20, 'x');
  EXPECT_EQ(cluster.Get(0, "big")->value->size(), size_t{2 << 20});
  const cache::EntryCounts counts = cluster[0].cache->store().Counts(0);
  EXPECT_EQ(counts.items(cache::Role::kMain), 100u);
  EXPECT_EQ(counts.evictions(cache::Role::kMain), 0u);
}

TEST(Owner, ALargeValueIsPinnedNotCopied) {
  FakeCluster cluster(1);
  cluster.backend->rows["big"] = std::string(5000, 'x');
  cluster.Get(0, "big");
  const cache::Key key = cache::Key::Of("big");
  cache::BlobPtr pin;
  cluster[0].cache->Find(
      *cluster[0].executor, {&key, 1}, cluster.clock.Now(),
      [&](size_t, const cache::Found& found) { pin = cache::BlobPtr(found.blob); });
  ASSERT_TRUE(pin);
  auto deleted = cluster.StartDelete(0, {"big"});
  cluster.Run();
  EXPECT_EQ(deleted->value().value(), 1);
  EXPECT_EQ(pin->bytes().size(), 5000u);
}

TEST(Owner, KeysAndValuesMayHoldEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i)
    all.push_back(static_cast<char>(i));
  FakeCluster cluster(1);
  cluster.backend->rows[all] = all;
  EXPECT_EQ(cluster.Get(0, all)->value, all);
  EXPECT_EQ(cluster.Get(0, all)->value, all);
  const std::string long_key(64 << 10, 'k');
  cluster.backend->rows[long_key] = "v";
  cluster.Get(0, long_key);
  EXPECT_TRUE(cluster.Get(0, long_key)->was_hit);
}

}  // namespace
}  // namespace cistern::test
