// S3Fifo: newcomers have to be hit before they may stay (SOSP'23).
#pragma once

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"
#include "cache/ghosts.h"
#include "cache/s3fifo_tuner.h"

namespace cistern::cache {

// A small queue of newcomers, a main one of what was hit there or came back soon after it had been
// evicted; what is hit in main goes round again. Nothing moves on a hit. By one rule for ever, or
// by the tuner's.
class S3Fifo final : public EvictionPolicy {
 public:
  explicit S3Fifo(const PolicyContext& context, S3FifoRule rule = S3FifoRule())
      : S3Fifo(context, nullptr, rule) {}
  S3Fifo(const PolicyContext& context, S3FifoTuner* tuner)
      : S3Fifo(context, tuner, tuner->rule()) {}

  void Insert(Entry* entry, uint64_t hash) override;
  void Remove(Entry* entry) override;
  void Replace(Entry* copy) override { queues_[PlaceOf(*copy)].entries.Replace(copy); }
  Entry* Evict() override;
  size_t bytes() const override { return ghosts_.bytes(); }

 private:
  enum Place : uint8_t { kSmall, kMain };  // the bit of an entry's heat above the count
  static constexpr uint8_t kPlaceBit = kCountBits + 1;
  static_assert(kS3FifoMostHeat <= kCountBits);
  static Place PlaceOf(const Entry& entry) {
    return (entry.heat & kPlaceBit) != 0 ? kMain : kSmall;
  }

  struct Queue {
    EntryQueue entries;
    uint64_t bytes = 0;
  };

  S3Fifo(const PolicyContext& context, S3FifoTuner* tuner, S3FifoRule rule)
      : EvictionPolicy(kS3FifoMostHeat, kTouchNone),
        context_(context),
        tuner_(tuner),
        rule_(rule),
        queues_{Queue{EntryQueue(context.arena)}, Queue{EntryQueue(context.arena)}} {}

  // Of a tuned one: the keys in the tuner's sample.
  void Touch(Entry*, uint64_t hash) override {
    if (tuner_ != nullptr) tuner_->Access(hash);
  }
  // With so many hits to its name.
  void Push(Entry* entry, Place place, uint8_t hits);
  // The room is full: takes its measure.
  void Fit(uint64_t bytes);
  // Whether an entry, which has left that queue, may stay: it stands in main then.
  bool Spare(Entry* entry, Place from);
  size_t size() const { return queues_[kSmall].entries.size() + queues_[kMain].entries.size(); }

  const PolicyContext context_;
  S3FifoTuner* const tuner_ = nullptr;
  S3FifoRule rule_;
  Queue queues_[2];
  Ghosts ghosts_;
  unsigned unlucky_ = 0;
};

}  // namespace cistern::cache
