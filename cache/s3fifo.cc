#include "cache/s3fifo.h"

namespace cistern::cache {
namespace {

// An eviction looks at no more entries than these and one, however many have been hit: it runs
// under the shard's lock.
constexpr int kMostSpared = 256;

}  // namespace

void S3Fifo::Push(Entry* entry, Place place, uint8_t hits) {
  entry->heat = place == kMain ? hits | kPlaceBit : hits;
  queues_[place].entries.PushFront(entry);
  queues_[place].bytes += context_.weigh(*entry);
}

void S3Fifo::Remove(Entry* entry) {
  Queue& from = queues_[PlaceOf(*entry)];
  from.entries.Remove(entry);
  from.bytes -= context_.weigh(*entry);
}

void S3Fifo::Insert(Entry* entry, uint64_t hash) {
  if (tuner_ != nullptr && (hash & tuner_->unsampled()) == 0) tuner_->Access(hash);
  const bool was_ghost = ghosts_.Take(hash, context_.weigh(*entry));
  if (was_ghost) ++context_.counts[entry->group()].ghost_hits;
  Push(entry, was_ghost ? kMain : kSmall, 0);
}

Entry* S3Fifo::Evict() {
  const uint64_t bytes = queues_[kSmall].bytes + queues_[kMain].bytes;
  Fit(bytes);
  // Newcomers may have all the room that main does not use.
  const double main_room = static_cast<double>(bytes) * (1 - rule_.small);
  Place from = static_cast<double>(queues_[kMain].bytes) > main_room ? kMain : kSmall;
  for (int spared = 0; size() > 0; ++spared) {
    if (queues_[from].entries.size() == 0) from = kMain;
    Entry* entry = queues_[from].entries.back();
    Remove(entry);
    if (spared < kMostSpared && Spare(entry, from)) continue;
    if (from == kSmall) ghosts_.Add(entry->hash(), context_.weigh(*entry));
    return entry;
  }
  return nullptr;
}

void S3Fifo::Fit(uint64_t bytes) {
  ghosts_.Fit(static_cast<size_t>(static_cast<double>(size()) * rule_.ghosts),
              static_cast<uint64_t>(static_cast<double>(bytes) * rule_.ghosts));
  if (tuner_ == nullptr) return;
  tuner_->Fit(size());
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
