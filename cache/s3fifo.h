// S3Fifo: newcomers have to be hit before they may stay (SOSP'23).
#pragma once

#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"
#include "cache/ghosts.h"
#include "cache/s3fifo_sums.h"
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

  // The shard that gives up an entry next; of some that are alike the one whose turn it is. `tuner`
  // may be null.
  static size_t NextShard(const S3FifoSums& sums, const S3FifoTuner* tuner, size_t turn);

  void Insert(Entry* entry, uint64_t hash) override;
  void Remove(Entry* entry) override;
  void Replace(Entry* copy) override { queues_[PlaceOf(*copy)].Replace(copy); }
  Entry* Evict() override;
  const Entry* Next() const override { return queues_[context_.sums->Next(rule_.small)].back(); }
  void Expect(uint64_t hash) const override { ghosts_.Prefetch(hash); }
  size_t bytes() const override { return ghosts_.bytes(); }

 private:
  // An entry's heat, from its lowest bit: the count of hits, its queue, the era in which it came
  // there.
  using Place = S3FifoSums::Place;
  static constexpr Place kSmall = S3FifoSums::kSmall;
  static constexpr Place kMain = S3FifoSums::kMain;
  static constexpr uint8_t kPlaceBit = kCountBits + 1;
  static constexpr int kEraShift = 8 - S3FifoSums::kEraBits;
  static_assert(2 * kPlaceBit == 1 << kEraShift);
  static_assert(kS3FifoMostHeat <= kCountBits);
  static Place PlaceOf(const Entry& entry) {
    return (entry.heat & kPlaceBit) != 0 ? kMain : kSmall;
  }

  S3Fifo(const PolicyContext& context, S3FifoTuner* tuner, S3FifoRule rule)
      : EvictionPolicy(kS3FifoMostHeat, kTouchNone),
        context_(context),
        tuner_(tuner),
        rule_(rule),
        queues_{EntryQueue(context.arena), EntryQueue(context.arena)},
        ghosts_(context.tables) {}

  // Of a tuned one: the keys in the tuner's sample.
  void Touch(Entry*, uint64_t hash) override {
    if (tuner_ != nullptr) tuner_->Access(hash);
  }
  // With so many hits to its name.
  void Push(Entry* entry, Place place, uint8_t hits);
  // The room is full: takes its measure.
  void Fit();
  // Has the others know what is next here.
  void TellNext(Place place);
  // Whether an entry, which has left that queue, may stay: it stands in main then.
  bool Spare(Entry* entry, Place from);
  size_t size() const { return queues_[kSmall].size() + queues_[kMain].size(); }

  const PolicyContext context_;
  S3FifoTuner* const tuner_ = nullptr;
  S3FifoRule rule_;
  EntryQueue queues_[2];
  Ghosts ghosts_;
  unsigned unlucky_ = 0;
};

}  // namespace cistern::cache
