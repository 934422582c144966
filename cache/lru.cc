#include "cache/lru.h"

namespace cistern::cache {

void Lru::Insert(Entry* entry) {
  entry->stamp = ++moved_;
  queue_.PushFront(entry);
}

void Lru::Touch(Entry* entry) {
  // moved_ - stamp bounds the number of entries before this one (unsigned: also across a wrap).
  if (moves_ == Moves::kLazily && moved_ - entry->stamp < queue_.size() / 8) return;
  queue_.Remove(entry);
  Insert(entry);
}

}  // namespace cistern::cache
