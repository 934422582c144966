#include "cache/lru.h"

namespace cistern::cache {

void Lru::Insert(Entry* entry, uint64_t) {
  queue_.PushFront(entry);
  entry->heat = era_;
  if (++moved_ < queue_.size() / 16) return;
  moved_ = 0;
  ++era_;
}

void Lru::Touch(Entry* entry, uint64_t hash) {
  // Of the last era or this one. Where there are few entries each move is an era.
  const bool is_new = queue_.size() >= 32 && static_cast<uint8_t>(era_ - entry->heat) < 2;
  if (is_new && moves_ == Moves::kLazily) return;
  queue_.Remove(entry);
  Insert(entry, hash);
}

}  // namespace cistern::cache
