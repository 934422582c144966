// Histogram: counts of nanoseconds in log-linear buckets, as HdrHistogram's: quantiles are exact to
// 1 part in 128.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace cistern::load {

class Histogram {
 public:
  void Add(uint64_t value) {
    ++counts_[BucketOf(std::min(value, kLargest))];
    ++count_;
    largest_ = std::max(largest_, value);
  }
  uint64_t count() const { return count_; }
  uint64_t largest() const { return largest_; }

  // The least value below or at which there are a part `q` of all, rounded up to its bucket's end.
  // REQUIRES: 0 < q <= 1 and something was added.
  uint64_t Quantile(double q) const {
    auto left = static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_)));
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (left <= counts_[i]) return std::min(LastOf(i), largest_);
      left -= counts_[i];
    }
    return largest_;
  }

  // Calls visit(last, count) for each quarter of a power of two in which there is something: how
  // many are at most `last` and above those before.
  template <class Visit>
  void ForEachQuarter(Visit visit) const {
    constexpr size_t kQuarter = kSteps / 4;
    for (size_t first = 0; first < counts_.size(); first += kQuarter) {
      uint64_t count = 0;
      for (size_t i = first; i < first + kQuarter; ++i)
        count += counts_[i];
      if (count > 0) visit(LastOf(first + kQuarter - 1), count);
    }
  }

 private:
  // Values below 2 * kSteps have a bucket each; from there on each power of two has kSteps.
  static constexpr int kStepBits = 7;
  static constexpr uint64_t kSteps = 1 << kStepBits;
  static constexpr int kLargestBits = 40;  // 18 minutes
  static constexpr uint64_t kLargest = (uint64_t{1} << kLargestBits) - 1;

  static size_t BucketOf(uint64_t value) {
    const int bits = static_cast<int>(std::bit_width(value));
    const int shift = std::max(bits - kStepBits - 1, 0);
    return static_cast<size_t>(shift) * kSteps + (value >> shift);
  }
  static uint64_t LastOf(size_t bucket) {
    if (bucket < 2 * kSteps) return bucket;
    const uint64_t shift = bucket / kSteps - 1;
    return ((bucket - shift * kSteps + 1) << shift) - 1;
  }

  std::array<uint64_t, (kLargestBits - kStepBits + 1) * kSteps> counts_{};
  uint64_t count_ = 0;
  uint64_t largest_ = 0;
};

}  // namespace cistern::load
