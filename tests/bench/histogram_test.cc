#include "bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace cistern::load {
namespace {

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 100; ++value)
    histogram.Add(value);
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.Quantile(0.5), 50u);
  EXPECT_EQ(histogram.Quantile(0.99), 99u);
  EXPECT_EQ(histogram.Quantile(1), 100u);
}

TEST(Histogram, QuantilesAreAtMostOnePartIn128AboveTheTrueOnes) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latencies(11, 2);
  Histogram histogram;
  std::vector<uint64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<uint64_t>(latencies(random)));
    histogram.Add(values.back());
  }
  std::ranges::sort(values);
  for (const size_t rank : {1u, 10'000u, 50'000u, 90'000u, 99'000u, 99'900u, 99'990u, 100'000u}) {
    const uint64_t exact = values[rank - 1];
    const uint64_t found = histogram.Quantile(static_cast<double>(rank) / 100'000);
    EXPECT_GE(found, exact) << rank;
    EXPECT_LE(found, exact + exact / 128) << rank;
  }
}

TEST(Histogram, EveryBucketsLastValueIsInIt) {
  for (uint64_t power = 1; power < uint64_t{1} << 39; power *= 2) {
    for (const uint64_t value : {power - 1, power, power + power / 3, 2 * power - 1}) {
      Histogram histogram;
      histogram.Add(value);
      histogram.Add(4 * power);  // so that the largest value does not bound the answer
      EXPECT_GE(histogram.Quantile(0.5), value);
      EXPECT_LE(histogram.Quantile(0.5), value + value / 128);
    }
  }
}

TEST(Histogram, WhatIsTooLongStandsInTheLastBucket) {
  Histogram histogram;
  histogram.Add(1);
  histogram.Add(UINT64_MAX);
  EXPECT_EQ(histogram.Quantile(0.5), 1u);
  EXPECT_GE(histogram.Quantile(1), (uint64_t{1} << 40) - 1);
  EXPECT_EQ(histogram.largest(), UINT64_MAX);
}

}  // namespace
}  // namespace cistern::load
