// Account: the groups that draw on one budget, and how their entries share it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "cache/budget.h"
#include "cache/s3fifo_sums.h"
#include "cache/s3fifo_tuner.h"

namespace cistern::cache {

// Hot copies and negative entries are cheap to have again, so when room runs out whatever of them
// exceeds its share goes first (groupcache's victim rule); below its share main goes first. An
// unused share is main's. All methods may be called from any thread.
struct Account {
  Account(Budget& of, double hot, std::string eviction)
      : budget(of), hot_share(hot), policy(std::move(eviction)) {}

  bool HotExceedsShare() const {
    return hot_bytes.load(std::memory_order_relaxed) > Part(hot_share);
  }
  bool NegativesExceedShare() const {
    return negative_bytes.load(std::memory_order_relaxed) > Part(kNegativeShare);
  }
  // A larger entry is answered but not kept: it would empty the cache.
  uint64_t largest_entry() const { return budget.limit() / 8; }

  Budget& budget;
  const double hot_share;
  const std::string policy;            // a name that MakePolicy() knows
  std::unique_ptr<S3FifoSums> sums;    // where the policy is "s3fifo" or "adaptive"
  std::unique_ptr<S3FifoTuner> tuner;  // where the policy is "adaptive"
  Charge tuner_charge;
  std::atomic<uint64_t> hot_bytes{0};
  std::atomic<uint64_t> negative_bytes{0};

 private:
  static constexpr double kNegativeShare = 1.0 / 16;
  uint64_t Part(double share) const {
    return static_cast<uint64_t>(static_cast<double>(budget.limit()) * share);
  }
};

}  // namespace cistern::cache
