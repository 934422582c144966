#include "cache/arc.h"

#include <algorithm>

namespace cistern::cache {

void Arc::Evicted::PushFront(Ghost ghost) {
  Take(ghost.hash);
  queue.push_front(ghost);
  by_hash[ghost.hash] = queue.begin();
  bytes += ghost.bytes;
}

void Arc::Evicted::PopBack() {
  Take(queue.back().hash);
}

uint64_t Arc::Evicted::Take(uint64_t hash) {
  const auto it = by_hash.find(hash);
  if (it == by_hash.end()) return 0;
  const uint64_t weight = it->second->bytes;
  queue.erase(it->second);
  by_hash.erase(it);
  bytes -= weight;
  return weight;
}

void Arc::Push(Entry* entry, Side side) {
  entry->heat = side;
  resident_[side].queue.PushFront(entry);
  resident_[side].bytes += context_.weigh(*entry);
}

void Arc::Remove(Entry* entry) {
  Resident& from = resident_[entry->heat];
  from.queue.Remove(entry);
  from.bytes -= context_.weigh(*entry);
}

void Arc::Touch(Entry* entry, uint64_t) {
  Remove(entry);
  Push(entry, kOften);
}

// A ghost of T1 says that T1 is too small, one of T2 that it is too large: the rarer ghosts of that
// kind are, the more one says.
bool Arc::WasGhost(uint64_t hash) {
  for (const Side side : {kOnce, kOften}) {
    const auto own = static_cast<double>(evicted_[side].bytes);
    const uint64_t weight = evicted_[side].Take(hash);
    if (weight == 0) continue;
    const auto other = static_cast<double>(evicted_[1 - side].bytes);
    const auto step =
        static_cast<uint64_t>(static_cast<double>(weight) * std::max(1.0, other / own));
    target_ =
        side == kOnce ? std::min(capacity_, target_ + step) : target_ - std::min(target_, step);
    return true;
  }
  return false;
}

void Arc::TrimGhosts(uint64_t incoming) {
  const auto once = [this] { return resident_[kOnce].bytes + evicted_[kOnce].bytes; };
  const auto often = [this] { return resident_[kOften].bytes + evicted_[kOften].bytes; };
  while (once() + incoming > capacity_ && !evicted_[kOnce].queue.empty())
    evicted_[kOnce].PopBack();
  while (once() + often() + incoming > 2 * capacity_ && !evicted_[kOften].queue.empty())
    evicted_[kOften].PopBack();
}

void Arc::Insert(Entry* entry, uint64_t hash) {
  if (WasGhost(hash)) {
    ++context_.counts[entry->group()].ghost_hits;
    return Push(entry, kOften);
  }
  TrimGhosts(context_.weigh(*entry));
  Push(entry, kOnce);
}

Entry* Arc::Evict() {
  capacity_ = resident_[kOnce].bytes + resident_[kOften].bytes;
  const bool is_once = resident_[kOnce].bytes > target_ || resident_[kOften].queue.size() == 0;
  const Side side = is_once ? kOnce : kOften;
  Entry* victim = resident_[side].queue.back();
  if (victim == nullptr) return nullptr;
  Remove(victim);
  evicted_[side].PushFront({victim->hash(), context_.weigh(*victim)});
  return victim;
}

size_t Arc::bytes() const {
  // A list's node and a table's, with their allocations' headers, and its part of the buckets.
  constexpr size_t kGhostBytes = 48 + 48 + 8;
  return (evicted_[kOnce].by_hash.size() + evicted_[kOften].by_hash.size()) * kGhostBytes;
}

}  // namespace cistern::cache
