#include "cache/lfu.h"

#include <limits>

namespace cistern::cache {

void Lfu::Place(Entry* entry) {
  const uint32_t rank = entry->stamp = floor_ + entry->heat;
  // Differences to the floor, since ranks wrap.
  if (rank - floor_ < lowest_ - floor_) lowest_ = rank;
  QueueOf(rank).PushFront(entry);
}

void Lfu::Insert(Entry* entry) {
  entry->heat = 1;
  Place(entry);
  ++size_;
}

void Lfu::Touch(Entry* entry) {
  if (entry->heat < std::numeric_limits<uint8_t>::max()) ++entry->heat;
  if (entry->stamp == floor_ + entry->heat) return;
  QueueOf(entry->stamp).Remove(entry);
  Place(entry);
}

void Lfu::Remove(Entry* entry) {
  QueueOf(entry->stamp).Remove(entry);
  --size_;
}

Entry* Lfu::Evict() {
  if (size_ == 0) return nullptr;
  while (QueueOf(lowest_).size() == 0)
    ++lowest_;
  if (ages_ == Ages::kYes) floor_ = lowest_;
  --size_;
  return QueueOf(lowest_).PopBack();
}

}  // namespace cistern::cache
