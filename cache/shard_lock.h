// ShardLock: a mutex of one word, for critical sections of some hundred nanoseconds.
#pragma once

#include <atomic>

namespace cistern::cache {

// Taken and given inline, by one atomic operation each, where nobody else wants it (std::mutex: two
// calls into a library). Whoever finds it taken looks again for about two microseconds, since it
// will be free before the kernel could say so, and then sleeps: virtual cores are taken away while
// they hold locks. (Drepper, "Futexes Are Tricky", the mutex with three states.) A BasicLockable.
class ShardLock {
 public:
  ShardLock() = default;
  ShardLock(const ShardLock&) = delete;
  ShardLock& operator=(const ShardLock&) = delete;

  void lock() {
    int free = kFree;
    if (!word_.compare_exchange_strong(free, kTaken, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      Wait();
    }
  }
  void unlock() {
    if (word_.exchange(kFree, std::memory_order_release) == kAwaited) word_.notify_one();
  }

 private:
  enum : int {
    kFree,
    kTaken,
    kAwaited,  // taken, and somebody may sleep
  };

  void Wait();

  std::atomic<int> word_{kFree};
};

}  // namespace cistern::cache
