#include "cache/shard_lock.h"

#include <emmintrin.h>

namespace cistern::cache {
namespace {

// About two microseconds.
constexpr int kLooks = 50;

}  // namespace

void ShardLock::Wait() {
  for (int i = 0; i < kLooks; ++i) {
    _mm_pause();
    int free = kFree;
    if (word_.load(std::memory_order_relaxed) == kFree &&
        word_.compare_exchange_weak(free, kTaken, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return;
    }
  }
  while (word_.exchange(kAwaited, std::memory_order_acquire) != kFree)
    word_.wait(kAwaited, std::memory_order_relaxed);
}

}  // namespace cistern::cache
