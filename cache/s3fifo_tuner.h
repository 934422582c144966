// S3FifoTuner: which rule of S3-FIFO suits the keys that are asked for now.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "cache/s3fifo_shadow.h"

namespace cistern::cache {

// A sample of the keys goes through small shadow caches, one for each rule, and the rule whose
// shadow misses least is everybody's. The sample is drawn by hash, so a shadow sees every use of
// the keys that it sees at all, and is as large in proportion to them as the cache is to all keys.
// One for all shards of an account. Methods may be called from any thread, and never wait.
class S3FifoTuner {
 public:
  S3FifoTuner();

  const S3FifoRule& rule() const;
  // Keys whose hash has none of these bits are in the sample.
  uint64_t unsampled() const { return unsampled_.load(std::memory_order_relaxed); }
  // A use of a key that is in the sample, hit or not. Lost while another one is counted.
  void Access(uint64_t hash);
  // All shards together hold so many entries.
  void Fit(size_t entries);

  static size_t bytes();

 private:
  static constexpr size_t kRules = 4;

  void Restart(size_t entries);
  void Choose();

  std::atomic<uint8_t> chosen_{0};
  std::atomic<uint64_t> unsampled_{UINT64_MAX};
  std::atomic<size_t> entries_{0};  // that it is fit for
  std::mutex mutex_;
  std::vector<S3FifoShadow> shadows_;    // by rule
  std::array<double, kRules> misses_{};  // by rule
  size_t capacity_ = 0;                  // of a shadow
  size_t accesses_ = 0;                  // since it chose last
};

}  // namespace cistern::cache
