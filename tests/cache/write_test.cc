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

cache::SetRequest SetTo(std::string key, std::string value) {
  return {std::move(key), cache::MakeBlob(std::move(value)), std::nullopt,
          cache::SetCondition::kAlways};
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

TEST(Set, IsRefusedWhereTheGroupTakesNoWrites) {
  FakeCluster cluster(1);
  auto stored = cluster.StartSet(0, SetTo("k", "x"));
  cluster.Run();
  EXPECT_EQ(stored->value().error().text, "group 'g' takes no writes");
}

TEST(Set, StoresAndLaterGetsHit) {
  FakeCluster cluster(1, Writable());
  auto stored = cluster.StartSet(0, SetTo("k", "x"));
  EXPECT_TRUE(stored->has_value()) << "nobody holds a copy: at once";
  EXPECT_TRUE(stored->value().value());
  EXPECT_EQ(cluster.Get(0, "k")->value, "x");
  EXPECT_EQ(cluster.backend->total(), 0);
}

TEST(Set, DetachesALoadUnderWay) {
  FakeCluster cluster(1, Writable());
  cluster.backend->parked = true;
  auto get = cluster.StartGet(0, "k");
  cluster.Run();
  cluster.StartSet(0, SetTo("k", "written"));
  cluster.AnswerLoads();
  cluster.Run();
  EXPECT_EQ(get->value, "v1");
  EXPECT_EQ(cluster.Get(0, "k")->value, "written");
}

TEST(Set, ConditionsLookAtLiveValuesOnly) {
  cache::GroupConfig config = Writable();
  config.negative_ttl = 1h;
  FakeCluster cluster(1, config);
  cluster.Get(0, "absent");  // now known as not found
  cache::SetRequest only_present = SetTo("absent", "x");
  only_present.condition = cache::SetCondition::kIfPresent;
  auto refused = cluster.StartSet(0, only_present);
  cache::SetRequest only_absent = SetTo("absent", "y");
  only_absent.condition = cache::SetCondition::kIfAbsent;
  only_absent.ttl = 10s;
  auto stored = cluster.StartSet(0, only_absent);
  auto again = cluster.StartSet(0, only_absent);
  cluster.Run();
  EXPECT_FALSE(refused->value().value());
  EXPECT_TRUE(stored->value().value());
  EXPECT_FALSE(again->value().value());
  cluster.clock.Advance(10s);
  auto after_expiry = cluster.StartSet(0, only_absent);
  cluster.Run();
  EXPECT_TRUE(after_expiry->value().value());
}

TEST(Set, ATtlOfItsOwnReplacesTheOldOne) {
  FakeCluster cluster(1, Writable());
  cache::SetRequest brief = SetTo("k", "x");
  brief.ttl = 1s;
  cluster.StartSet(0, brief);
  cluster.Run();
  EXPECT_EQ(cluster[0].cache->TtlHere(cache::Key::Of("k")), cache::Duration(1s));
  cluster.StartSet(0, SetTo("k", "y"));
  cluster.Run();
  EXPECT_EQ(cluster[0].cache->TtlHere(cache::Key::Of("k")), cache::Duration(0));
  cluster.clock.Advance(1h);
  EXPECT_EQ(cluster.Get(0, "k")->value, "y");
}

TEST(Set, AValueThatCouldNotBeKeptIsRefusedAndTheOldOneStays) {
  cache::GroupConfig config = Writable();
  config.max_value = 10;
  FakeCluster cluster(1, config);
  cluster.StartSet(0, SetTo("k", "old"));
  auto refused = cluster.StartSet(0, SetTo("k", "elevenbytes"));
  cluster.Run();
  EXPECT_EQ(refused->value().error().code, cache::ErrorCode::kTooLarge);
  EXPECT_EQ(cluster.Get(0, "k")->value, "old");
}

TEST(Ttl, OfAnAbsentKeyIsNothing) {
  FakeCluster cluster(1);
  EXPECT_EQ(cluster[0].cache->TtlHere(cache::Key::Of("nope")), std::nullopt);
}

}  // namespace
}  // namespace cistern::test
