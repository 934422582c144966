#include "cache/s3fifo_tuner.h"

#include <algorithm>

namespace cistern::cache {
namespace {

constexpr size_t kMostSlots = 256;  // of a shadow
// Sampled uses, times a shadow's slots, from choice to choice; at each, older misses count half.
constexpr size_t kPeriod = 16;
constexpr double kDecay = 0.5;
// Another rule has to be better by this part of the misses.
constexpr double kMargin = 0.01;
// The sample's bits: neither those of shards nor of ghosts' fingerprints.
constexpr int kSampleShift = 12;
constexpr int kKeyShift = 24;

// The first is where it begins; the others suit what that does not: frequency alone, recency alone,
// newcomers that take longer to show their worth. One in 64 may stay unproven, or else what is
// asked for in a loop longer than the room would never be hit.
constexpr std::array<S3FifoRule, 4> kRuleOf{{
    {.small = 0.1, .ghosts = 1.2, .threshold = 1, .lucky_of = 64},
    {.small = 0.1, .ghosts = 1.2, .threshold = 2, .lucky_of = 64},
    {.small = 0.1, .ghosts = 1.2, .threshold = 0},
    {.small = 0.25, .ghosts = 1.2, .threshold = 1, .lucky_of = 64},
}};

}  // namespace

S3FifoTuner::S3FifoTuner() {
  static_assert(kRuleOf.size() == kRules);
  shadows_.reserve(kRules);
  for (const S3FifoRule& rule : kRuleOf)
    shadows_.emplace_back(rule, kMostSlots);
}

const S3FifoRule& S3FifoTuner::rule() const {
  return kRuleOf[chosen_.load(std::memory_order_relaxed)];
}

size_t S3FifoTuner::bytes() {
  size_t sum = sizeof(S3FifoTuner);
  for (const S3FifoRule& rule : kRuleOf)
    sum += sizeof(S3FifoShadow) + S3FifoShadow(rule, kMostSlots).bytes();
  return sum;
}

void S3FifoTuner::Fit(size_t entries) {
  const size_t fit = entries_.load(std::memory_order_relaxed);
  // Only what matters.
  if (entries >= fit - fit / 4 && entries <= fit + fit / 4) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock) Restart(entries);
}

void S3FifoTuner::Restart(size_t entries) {
  entries_.store(entries, std::memory_order_relaxed);
  capacity_ = entries;
  uint64_t bits = 0;
  for (; capacity_ > kMostSlots; capacity_ /= 2)
    bits = bits * 2 + 1;
  unsampled_.store(bits << kSampleShift, std::memory_order_relaxed);
  for (S3FifoShadow& shadow : shadows_)
    shadow.Reset(std::max<size_t>(capacity_, 1));
}

void S3FifoTuner::Access(uint64_t hash) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || entries_.load(std::memory_order_relaxed) == 0) return;
  for (size_t rule = 0; rule < kRules; ++rule)
    misses_[rule] += shadows_[rule].Access(static_cast<uint32_t>(hash >> kKeyShift)) ? 0 : 1;
  if (++accesses_ >= kPeriod * capacity_) Choose();
}

void S3FifoTuner::Choose() {
  accesses_ = 0;
  const auto best = std::min_element(misses_.begin(), misses_.end());
  if (*best < misses_[chosen_.load(std::memory_order_relaxed)] * (1 - kMargin)) {
    chosen_.store(static_cast<uint8_t>(best - misses_.begin()), std::memory_order_relaxed);
  }
  for (double& misses : misses_)
    misses *= kDecay;
}

}  // namespace cistern::cache
