#include "cache/s3fifo_sums.h"

#include <algorithm>

namespace cistern::cache {
namespace {

constexpr uint64_t kErasOfAQueue = 8;
constexpr size_t kMostCompared = 64;
constexpr uint8_t kEras = 1 << S3FifoSums::kEraBits;

}  // namespace

uint8_t S3FifoSums::Add(Place place, uint64_t bytes) {
  Sum& sum = sums_[place];
  sum.bytes.fetch_add(bytes, std::memory_order_relaxed);
  sum.came.fetch_add(1, std::memory_order_relaxed);
  return sum.era.load(std::memory_order_relaxed);
}

void S3FifoSums::Remove(Place place, uint64_t bytes) {
  Sum& sum = sums_[place];
  sum.bytes.fetch_sub(bytes, std::memory_order_relaxed);
  const uint64_t went = sum.went.fetch_add(1, std::memory_order_relaxed) + 1;
  uint64_t end = sum.era_end.load(std::memory_order_relaxed);
  const uint64_t next_end = went + sum.entries() / kErasOfAQueue + 1;
  if (went < end || !sum.era_end.compare_exchange_strong(end, next_end, std::memory_order_relaxed))
    return;
  const uint8_t era = sum.era.load(std::memory_order_relaxed);
  sum.era.store(static_cast<uint8_t>((era + 1) % kEras), std::memory_order_relaxed);
}

S3FifoSums::Place S3FifoSums::Next(double small) const {
  const double main_room = static_cast<double>(bytes()) * (1 - small);
  const bool main_is_over = static_cast<double>(BytesOf(kMain)) > main_room;
  return main_is_over || sums_[kSmall].entries() == 0 ? kMain : kSmall;
}

size_t S3FifoSums::Oldest(Place place, size_t first) const {
  const uint8_t now = sums_[place].era.load(std::memory_order_relaxed);
  size_t oldest = first;
  int greatest = -1;
  size_t shard = first;
  for (size_t left = std::min(tails_.size(), kMostCompared); left > 0; --left) {
    const uint8_t era = tails_[shard][place].load(std::memory_order_relaxed);
    const int age = era == kNone ? -1 : (now - era) & (kEras - 1);
    if (age > greatest) {
      greatest = age;
      oldest = shard;
    }
    if (++shard == tails_.size()) shard = 0;
  }
  return oldest;
}

}  // namespace cistern::cache
