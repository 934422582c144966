#include "cache/s3fifo_shadow.h"

#include <algorithm>

namespace cistern::cache {

S3FifoShadow::S3FifoShadow(const S3FifoRule& rule, size_t capacity)
    : rule_(rule),
      capacity_(capacity),
      small_(capacity),
      main_(capacity),
      ghosts_(GhostsFor(capacity)) {
  keys_.reserve(capacity);
  heats_.reserve(capacity);
}

void S3FifoShadow::Reset(size_t capacity) {
  capacity_ = capacity;
  keys_.clear();
  heats_.clear();
  small_.Reset(capacity);
  main_.Reset(capacity);
  ghosts_.assign(GhostsFor(capacity), 0);
  next_ghost_ = 0;
}

size_t S3FifoShadow::GhostsFor(size_t capacity) const {
  return std::max<size_t>(1, static_cast<size_t>(static_cast<double>(capacity) * rule_.ghosts));
}

size_t S3FifoShadow::bytes() const {
  return (keys_.capacity() + ghosts_.capacity()) * sizeof(uint32_t) + heats_.capacity() +
         small_.bytes() + main_.bytes();
}

bool S3FifoShadow::Access(uint32_t key) {
  key = std::max(key, 1U);
  if (const auto it = std::find(keys_.begin(), keys_.end(), key); it != keys_.end()) {
    uint8_t& heat = heats_[it - keys_.begin()];
    if (heat < kS3FifoMostHeat) ++heat;
    return true;
  }
  const bool was_ghost = TakeGhost(key);
  uint16_t slot = 0;
  if (keys_.size() < capacity_) {
    slot = static_cast<uint16_t>(keys_.size());
    keys_.push_back(key);
    heats_.push_back(0);
  } else {
    slot = Evict();
    keys_[slot] = key;
    heats_[slot] = 0;
  }
  (was_ghost ? main_ : small_).Push(slot);
  return false;
}

bool S3FifoShadow::TakeGhost(uint32_t key) {
  const auto it = std::find(ghosts_.begin(), ghosts_.end(), key);
  if (it == ghosts_.end()) return false;
  *it = 0;
  return true;
}

uint16_t S3FifoShadow::Evict() {
  const double main_room = static_cast<double>(capacity_) * (1 - rule_.small);
  while (true) {
    const bool from_main = static_cast<double>(main_.size()) > main_room || small_.size() == 0;
    const uint16_t slot = from_main ? main_.Pop() : small_.Pop();
    if (from_main && heats_[slot] == 0) return slot;
    if (from_main) {
      --heats_[slot];
    } else if (Stays(slot)) {
      heats_[slot] = 0;
    } else {
      ghosts_[next_ghost_] = keys_[slot];
      next_ghost_ = (next_ghost_ + 1) % ghosts_.size();
      return slot;
    }
    main_.Push(slot);
  }
}

bool S3FifoShadow::Stays(uint16_t slot) {
  if (heats_[slot] >= rule_.threshold) return true;
  return rule_.lucky_of != 0 && ++unlucky_ % rule_.lucky_of == 0;
}

}  // namespace cistern::cache
