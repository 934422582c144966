// ShardLock: a mutex of one word, for critical sections of some hundred nanoseconds. It counts
// them, so that who only reads need not take it.
#pragma once

#include <atomic>
#include <cstdint>

namespace cistern::cache {

// Taken by one atomic operation and given back by a store, inline, where nobody else wants it.
// Whoever finds it taken looks again for about two microseconds, and then sleeps for some ten
// microseconds at a time: virtual cores are taken away while they hold locks. A BasicLockable.
//
// Reading without it (a sequence lock, see Boehm, "Can Seqlocks Get Along With Programming Language
// Memory Models?", 2012; as in MemC3, Fan, Andersen, Kaminsky, 2013): version(), copy, IsStill().
// Between the two anything may be read, also half of what was and half of what is, as long as the
// memory stays; so nothing that was read may be followed or believed before IsStill() has said yes:
//   1. a reader sees version 6;
//   2. a writer takes the lock, the version is 7, and it changes the entry;
//   3. the reader copies the entry, half of it changed;
//   4. the writer gives the lock back, the version is 8;
//   5. the reader asks for 6, hears no, forgets its copy, and takes the lock.
class ShardLock {
 public:
  ShardLock() = default;
  ShardLock(const ShardLock&) = delete;
  ShardLock& operator=(const ShardLock&) = delete;

  void lock() {
    if (!TryLock()) Wait();
    Fence(std::memory_order_release);  // what is changed is seen no sooner than the odd version
  }
  void unlock() {
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  // Odd: somebody has it, so there is nothing to be read.
  uint64_t version() const { return kReadsAreSeen ? 1 : version_.load(std::memory_order_acquire); }
  // Nobody has had it since it was of that version, so what was copied meanwhile is whole.
  bool IsStill(uint64_t version) const {
    Fence(std::memory_order_acquire);
    return version_.load(std::memory_order_relaxed) == version;
  }

 private:
// ThreadSanitizer knows no fences, and sees the races that IsStill() tells: there everybody takes
// the lock.
#if defined(__SANITIZE_THREAD__)
  static constexpr bool kReadsAreSeen = true;
  static void Fence(std::memory_order) {}
#else
  static constexpr bool kReadsAreSeen = false;
  static void Fence(std::memory_order order) {
    std::atomic_thread_fence(order);
  }
#endif

  bool TryLock() {
    uint64_t version = version_.load(std::memory_order_relaxed);
    return version % 2 == 0 &&
           version_.compare_exchange_strong(version, version + 1, std::memory_order_acquire,
                                            std::memory_order_relaxed);
  }
  void Wait();

  std::atomic<uint64_t> version_{0};
};

}  // namespace cistern::cache
