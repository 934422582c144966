#include "cache/s3fifo.h"

namespace cistern::cache {
void S3Fifo::Push(Entry* entry, Place place, uint8_t hits) {
  const uint64_t bytes = context_.weigh(*entry);
  const uint8_t era = context_.sums->Add(place, bytes);
  entry->heat = static_cast<uint8_t>(era << kEraShift | (place == kMain ? kPlaceBit : 0) | hits);
  queues_[place].PushFront(entry);
  if (queues_[place].size() == 1) TellNext(place);
}

size_t S3Fifo::NextShard(const S3FifoSums& sums, const S3FifoTuner* tuner, size_t turn) {
  const S3FifoRule rule = tuner == nullptr ? S3FifoRule() : tuner->rule();
  return sums.Oldest(sums.Next(rule.small), turn);
}

void S3Fifo::TellNext(Place place) {
  const Entry* next = queues_[place].back();
  queues_[place].PrefetchSecond();  // it is the next one's turn to be asked this
  context_.sums->SetNext(context_.shard, place,
                         next == nullptr ? S3FifoSums::kNone : next->heat >> kEraShift);
}

void S3Fifo::Remove(Entry* entry) {
  const Place from = PlaceOf(*entry);
  const bool is_next = queues_[from].back() == entry;
  queues_[from].Remove(entry);
  context_.sums->Remove(from, context_.weigh(*entry));
  if (is_next) TellNext(from);
}

void S3Fifo::Insert(Entry* entry, uint64_t hash) {
  if (tuner_ != nullptr && (hash & tuner_->unsampled()) == 0) tuner_->Access(hash);
  const bool was_ghost = ghosts_.Take(hash, context_.weigh(*entry));
  if (was_ghost) ++context_.counts[entry->group()].ghost_hits;
  Push(entry, was_ghost ? kMain : kSmall, 0);
}

Entry* S3Fifo::Evict() {
  Fit();
  Place from = context_.sums->Next(rule_.small);
  for (size_t looked_at = 1; size() > 0; ++looked_at) {
    if (queues_[from].size() == 0) from = from == kMain ? kSmall : kMain;
    Entry* entry = queues_[from].back();
    Remove(entry);
    if (looked_at < kMostLookedAt && Spare(entry, from)) {
      CountSpared();
      continue;
    }
    if (from == kSmall) ghosts_.Add(entry->hash(), context_.weigh(*entry));
    return entry;
  }
  return nullptr;
}

// Of all keys a shard has about the same part as of all others.
void S3Fifo::Fit() {
  const S3FifoSums& sums = *context_.sums;
  const double part = rule_.ghosts / static_cast<double>(sums.shards());
  ghosts_.Fit(static_cast<size_t>(static_cast<double>(sums.entries()) * part),
              static_cast<uint64_t>(static_cast<double>(sums.bytes()) * part));
  if (tuner_ == nullptr) return;
  tuner_->Fit(sums.entries());
  rule_ = tuner_->rule();
  set_untouched(tuner_->unsampled());
}

bool S3Fifo::Spare(Entry* entry, Place from) {
  const auto hits = static_cast<uint8_t>(entry->heat & kCountBits);
  PolicyCounts& counts = context_.counts[entry->group()];
  if (from == kMain) {
    if (hits == 0) return false;
    ++counts.reinsertions;
    Push(entry, kMain, hits - 1);
    return true;
  }
  const bool is_lucky =
      rule_.lucky_of != 0 && hits < rule_.threshold && ++unlucky_ % rule_.lucky_of == 0;
  if (hits < rule_.threshold && !is_lucky) return false;
  ++counts.promotions;
  Push(entry, kMain, 0);
  return true;
}

}  // namespace cistern::cache
