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
  explicit S3Fifo(PolicyContext context, S3FifoRule rule = S3FifoRule())
      : EvictionPolicy(kS3FifoMostHeat, kTouchNone), context_(context), rule_(rule) {}
  S3Fifo(PolicyContext context, S3FifoTuner* tuner)
      : EvictionPolicy(kS3FifoMostHeat, kTouchNone),
        context_(context),
        tuner_(tuner),
        rule_(tuner->rule()) {}

  void Insert(Entry* entry) override;
  void Remove(Entry* entry) override;
  Entry* Evict() override;
  size_t bytes() const override { return ghosts_.bytes(); }

 private:
  enum Place : uint8_t { kSmall, kMain };  // an entry's stamp

  struct Queue {
    EntryQueue entries;
    uint64_t bytes = 0;
  };

  // Of a tuned one: the keys in the tuner's sample.
  void Touch(Entry* entry) override {
    if (tuner_ != nullptr) tuner_->Access(entry->hash());
  }
  void Push(Entry* entry, Place place);
  // The room is full: takes its measure.
  void Fit(uint64_t bytes);
  // Whether an entry, which has left that queue, may stay: it stands in main then.
  bool Spare(Entry* entry, Place from);
  size_t size() const { return queues_[kSmall].entries.size() + queues_[kMain].entries.size(); }
  bool Stays(const Entry& newcomer);

  const PolicyContext context_;
  S3FifoTuner* const tuner_ = nullptr;
  S3FifoRule rule_;
  Queue queues_[2];
  Ghosts ghosts_;
  unsigned unlucky_ = 0;
};

}  // namespace cistern::cache
