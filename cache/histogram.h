// Histogram: durations counted by powers of two of nanoseconds.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "cache/clock.h"
#include "cache/stats.h"

namespace cistern::cache {

// Written by one thread, read by any.
class Histogram {
 public:
  static constexpr size_t kBuckets = 40;  // the last one: from 2^38 ns (4.6 minutes) on

  void Add(Duration took) {
    const auto nanoseconds = static_cast<uint64_t>(took.count() > 0 ? took.count() : 0);
    const auto bucket = static_cast<size_t>(std::bit_width(nanoseconds));
    buckets_[bucket < kBuckets ? bucket : kBuckets - 1].Add();
    sum_.Add(nanoseconds);
  }
  // How many were in [2^(i-1), 2^i) ns; at i = 0 exactly 0.
  uint64_t bucket(size_t i) const { return buckets_[i].value(); }
  uint64_t sum_nanoseconds() const { return sum_.value(); }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_;
};

}  // namespace cistern::cache
