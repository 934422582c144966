#include <gtest/gtest.h>

#include "server/admin/stats_snapshot.h"

namespace cistern::server {
namespace {

TEST(LatencyCountsTest, NothingCountedHasNoQuantiles) {
  EXPECT_EQ(LatencyCounts().Total(), 0U);
  EXPECT_EQ(LatencyCounts().Quantile(0.99), 0U);
}

TEST(LatencyCountsTest, AQuantileIsTheEndOfItsBucket) {
  LatencyCounts latency;
  latency.counts[4] = 99;  // 8 to 15 ns
  latency.counts[10] = 1;  // 512 to 1023 ns
  EXPECT_EQ(latency.Total(), 100U);
  EXPECT_EQ(latency.Quantile(0.5), 15U);
  EXPECT_EQ(latency.Quantile(0.99), 15U);
  EXPECT_EQ(latency.Quantile(0.991), 1023U);
  EXPECT_EQ(latency.Quantile(1), 1023U);
}

TEST(LatencyCountsTest, TheLastBucketEndsTheSearch) {
  LatencyCounts latency;
  latency.counts[LatencyCounts::kBuckets - 1] = 1;
  EXPECT_EQ(latency.Quantile(1), (uint64_t{1} << 39) - 1);
}

}  // namespace
}  // namespace cistern::server
