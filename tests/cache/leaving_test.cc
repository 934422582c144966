// A node that is stopping: it answers, and changes and lends nothing any more.
#include <gtest/gtest.h>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

TEST(Leaving, AnswersPeersAndLendsThemNothing) {
  FakeCluster cluster(2, AlwaysHot());
  cluster[0].cache->Leave();
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
  EXPECT_EQ(cluster[0].cache->store().HolderRecords(), 0u);
  EXPECT_FALSE(cluster.Get(1, "k")->was_hit);
}

TEST(Leaving, RefusesEveryChangeAndKeepsWhatItHas) {
  FakeCluster cluster(2, AlwaysHot());
  cluster.Get(0, "k");
  cluster[0].cache->Leave();
  auto deleted = cluster.StartDelete(1, {"k"});
  auto set = cluster.StartSet(0, "k", "v2");
  cluster.Run();
  EXPECT_EQ(deleted->value().error().text, "owner a is stopping");
  EXPECT_EQ(set->value().error().text, "owner a is stopping");
  EXPECT_EQ(cluster.Get(0, "k")->value, "v1");
  EXPECT_TRUE(cluster.Get(0, "k")->was_hit);
}

TEST(Leaving, RunsNoRoundOfAPurge) {
  FakeCluster cluster(2, AlwaysHot());
  std::optional<cache::Error> error;
  cluster[0].cache->Leave();
  cluster[1].cache->Purge(*cluster[1].executor, {cache::PurgeScope::Kind::kAll, ""},
                          cache::Completion<cache::Result<bool>>::Make(
                              *cluster[1].executor, [&](const cache::Result<bool>& result) {
                                if (!result) error = result.error();
                              }));
  cluster.Run();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->text, "owner a is stopping");
}

// 1. the owner says goodbye; 2. a peer loads in its place; 3. a DEL that the owner confirmed now
// would reach no copy of that.
TEST(Leaving, NothingIsConfirmedBehindTheBackOfWhoActsInItsPlace) {
  FakeCluster cluster(2, AlwaysHot());
  cluster[0].cache->Leave();
  cluster[0].reachable = false;
  EXPECT_EQ(cluster.Get(1, "k")->value, "v1");
  EXPECT_TRUE(cluster.Get(1, "k")->was_hit) << "a degraded copy";
  cluster.backend->rows["k"] = "v2";
  auto deleted = cluster.StartDelete(0, {"k"});
  cluster.Run();
  EXPECT_FALSE(deleted->value());
}

}  // namespace
}  // namespace cistern::test
