// S3FifoShadow: what a small S3-FIFO cache would have hit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cache/s3fifo_rule.h"

namespace cistern::cache {

// Keys only, each known by 32 bits of its hash and weighing the same. So small that a scan of all
// keys, which compilers make of vectors, is quicker than a table would be.
class S3FifoShadow {
 public:
  S3FifoShadow(const S3FifoRule& rule, size_t capacity);
  // Begins anew, with so many places: not more than it was made with. Allocates nothing.
  void Reset(size_t capacity);

  // Whether it held the key, which it does now. 0 and 1 are one key.
  bool Access(uint32_t key);
  size_t bytes() const;

 private:
  // A queue of slots.
  class Ring {
   public:
    explicit Ring(size_t capacity) : slots_(capacity) {}
    void Reset(size_t capacity) {
      slots_.resize(capacity);
      head_ = size_ = 0;
    }
    void Push(uint16_t slot) { slots_[(head_ + size_++) % slots_.size()] = slot; }
    uint16_t Pop() {
      const uint16_t slot = slots_[head_];
      head_ = (head_ + 1) % slots_.size();
      --size_;
      return slot;
    }
    size_t size() const { return size_; }
    size_t bytes() const { return slots_.capacity() * sizeof(uint16_t); }

   private:
    std::vector<uint16_t> slots_;
    size_t head_ = 0;
    size_t size_ = 0;
  };

  size_t GhostsFor(size_t capacity) const;
  bool TakeGhost(uint32_t key);
  // Returns the slot that is free now.
  uint16_t Evict();
  bool Stays(uint16_t slot);

  const S3FifoRule rule_;
  size_t capacity_;
  std::vector<uint32_t> keys_;  // by slot; 0: none
  std::vector<uint8_t> heats_;  // by slot
  Ring small_;
  Ring main_;
  std::vector<uint32_t> ghosts_;  // the oldest one is overwritten next; 0: none
  size_t next_ghost_ = 0;
  unsigned unlucky_ = 0;
};

}  // namespace cistern::cache
