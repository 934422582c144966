#include "cache/shard_lock.h"

#include <emmintrin.h>

#include <chrono>
#include <thread>

namespace cistern::cache {
namespace {

// About two microseconds.
constexpr int kLooks = 50;
constexpr auto kSleep = std::chrono::microseconds(10);

}  // namespace

void ShardLock::Wait() {
  for (int i = 0; i < kLooks; ++i) {
    _mm_pause();
    if (TryLock()) return;
  }
  while (!TryLock())
    std::this_thread::sleep_for(kSleep);
}

}  // namespace cistern::cache
