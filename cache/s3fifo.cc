#include "cache/s3fifo.h"

namespace cistern::cache {

void S3Fifo::Push(Entry* entry, Place place) {
  entry->stamp = place;
  queues_[place].entries.PushFront(entry);
  queues_[place].bytes += context_.weigh(*entry);
}

void S3Fifo::Remove(Entry* entry) {
  Queue& from = queues_[entry->stamp];
  from.entries.Remove(entry);
  from.bytes -= context_.weigh(*entry);
}

void S3Fifo::Insert(Entry* entry) {
  entry->heat = 0;
  if (tuner_ != nullptr && (entry->hash() & tuner_->unsampled()) == 0) Touch(entry);
  const bool was_ghost = ghosts_.Take(entry->hash(), context_.weigh(*entry));
  if (was_ghost) ++context_.counts[entry->group()].ghost_hits;
  Push(entry, was_ghost ? kMain : kSmall);
}

Entry* S3Fifo::Evict() {
  const uint64_t bytes = queues_[kSmall].bytes + queues_[kMain].bytes;
  Fit(bytes);
  const double main_room = static_cast<double>(bytes) * (1 - rule_.small);
  while (queues_[kSmall].entries.size() + queues_[kMain].entries.size() > 0) {
    // Newcomers may have all the room that main does not use.
    const bool is_main_full = static_cast<double>(queues_[kMain].bytes) > main_room;
    const bool from_main = is_main_full || queues_[kSmall].entries.size() == 0;
    if (Entry* victim = from_main ? EvictMain() : EvictSmall()) return victim;
  }
  return nullptr;
}

void S3Fifo::Fit(uint64_t bytes) {
  const size_t count = queues_[kSmall].entries.size() + queues_[kMain].entries.size();
  ghosts_.Fit(static_cast<size_t>(static_cast<double>(count) * rule_.ghosts),
              static_cast<uint64_t>(static_cast<double>(bytes) * rule_.ghosts));
  if (tuner_ == nullptr) return;
  tuner_->Fit(count);
  rule_ = tuner_->rule();
  set_untouched(tuner_->unsampled());
}

bool S3Fifo::Stays(const Entry& newcomer) {
  if (newcomer.heat >= rule_.threshold) return true;
  return rule_.lucky_of != 0 && ++unlucky_ % rule_.lucky_of == 0;
}

Entry* S3Fifo::EvictSmall() {
  while (Entry* entry = queues_[kSmall].entries.back()) {
    Remove(entry);
    if (!Stays(*entry)) {
      ghosts_.Add(entry->hash(), context_.weigh(*entry));
      return entry;
    }
    entry->heat = 0;
    ++context_.counts[entry->group()].promotions;
    Push(entry, kMain);
  }
  return nullptr;
}

Entry* S3Fifo::EvictMain() {
  while (Entry* entry = queues_[kMain].entries.back()) {
    Remove(entry);
    if (entry->heat == 0) return entry;
    --entry->heat;
    ++context_.counts[entry->group()].reinsertions;
    Push(entry, kMain);
  }
  return nullptr;
}

}  // namespace cistern::cache
