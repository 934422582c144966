// S3FifoSums: what S3-FIFO's queues are together, in all shards of one account.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cistern::cache {

// Each shard has queues of its own, yet what goes next is decided as if all of them were one:
// whether a newcomer goes or another one, by the bytes of all, and which shard's, by the age of
// those that are next. So a shard that has few entries, or many that are asked for, is no worse off
// than others. Ages are counted in eras, in each of which an eighth of the queue's entries
// goes: a queue spans eight of them, and some more when it has just become shorter.
//
// Methods may be called from any thread and wait for nobody; what they return may be a little late.
class S3FifoSums {
 public:
  enum Place : uint8_t { kSmall, kMain };
  static constexpr int kEraBits = 5;

  explicit S3FifoSums(size_t shards) : tails_(shards) {}

  // An entry has come to a queue, in the era that is returned; has left it.
  uint8_t Add(Place place, uint64_t bytes);
  void Remove(Place place, uint64_t bytes);
  // The era of the entry that is next in that queue of the shard; kNone: there is none. Under the
  // shard's lock.
  static constexpr uint8_t kNone = UINT8_MAX;
  void SetNext(size_t shard, Place place, uint8_t era) {
    std::atomic<uint8_t>& tail = tails_[shard][place];
    if (tail.load(std::memory_order_relaxed) != era) tail.store(era, std::memory_order_relaxed);
  }

  size_t shards() const { return tails_.size(); }
  size_t entries() const { return sums_[kSmall].entries() + sums_[kMain].entries(); }
  uint64_t bytes() const { return BytesOf(kSmall) + BytesOf(kMain); }
  // Which queue an entry has to go from, where newcomers shall have such a part of the room; they
  // may have all that others do not use.
  Place Next(double small) const;
  // In which shard, of 64 from `first` on, the oldest one of these is; of some that are
  // equally old the first. `first` if there is none. REQUIRES: first < shards().
  size_t Oldest(Place place, size_t first) const;

 private:
  struct alignas(64) Sum {
    std::atomic<uint64_t> bytes{0};
    std::atomic<uint64_t> came{0};
    std::atomic<uint64_t> went{0};
    std::atomic<uint64_t> era_end{0};  // when so many have gone
    std::atomic<uint8_t> era{0};

    size_t entries() const {
      const uint64_t gone = went.load(std::memory_order_relaxed);
      return came.load(std::memory_order_relaxed) - gone;
    }
  };
  uint64_t BytesOf(Place place) const { return sums_[place].bytes.load(std::memory_order_relaxed); }

  std::array<Sum, 2> sums_;
  // By shard; none at first.
  struct Tail : std::array<std::atomic<uint8_t>, 2> {
    Tail() : array{kNone, kNone} {}
  };
  std::vector<Tail> tails_;
};

}  // namespace cistern::cache
