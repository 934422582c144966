#include "cache/lru.h"

namespace cistern::cache {

void Lru::Insert(Entry* entry) {
  entry->stamp = ++moves_;
  queue_.PushFront(entry);
}

void Lru::Hit(Entry* entry) {
  // moves_ - stamp bounds the number of entries before this one (unsigned: also across a wrap).
  if (moves_ - entry->stamp < queue_.size() / 8) return;
  queue_.Remove(entry);
  Insert(entry);
}

std::unique_ptr<EvictionPolicy> MakePolicy(std::string_view name) {
  if (name == "lru") return std::make_unique<Lru>();
  return nullptr;
}

}  // namespace cistern::cache
