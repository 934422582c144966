#include "cache/lfu.h"

namespace cistern::cache {
namespace {

uint8_t Above(uint8_t floor, uint8_t rank) {
  return static_cast<uint8_t>(rank - floor);
}

}  // namespace

void Lfu::Push(Entry* entry, uint8_t rank) {
  entry->heat = rank;
  if (Above(floor_, rank) < Above(floor_, lowest_)) lowest_ = rank;
  ring_[rank].PushFront(entry);
}

void Lfu::Insert(Entry* entry, uint64_t) {
  Push(entry, floor_ + 1);
  ++size_;
}

void Lfu::Touch(Entry* entry, uint64_t) {
  ring_[entry->heat].Remove(entry);
  const bool is_highest = Above(floor_, entry->heat) == kRing - 1;
  Push(entry, is_highest ? entry->heat : entry->heat + 1);
}

void Lfu::Remove(Entry* entry) {
  ring_[entry->heat].Remove(entry);
  --size_;
}

Entry* Lfu::Evict() {
  if (size_ == 0) return nullptr;
  while (ring_[lowest_].size() == 0)
    ++lowest_;
  if (ages_ == Ages::kYes) floor_ = lowest_;
  --size_;
  return ring_[lowest_].PopBack();
}

}  // namespace cistern::cache
