#include "server/memory_trimmer.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

namespace cistern::server {
namespace {

// From here on buffers are mappings of their own. (Left alone, glibc raises this bound to the
// largest that was ever freed, and large values leave holes in the heap.)
constexpr int kMappedFrom = 1 << 20;
// The heap's free end that is kept.
constexpr int kKeptEnd = 16 << 20;

// Of `memory`, what entries pay at most for what is resident and not charged.
constexpr uint64_t kMostPaidPart = 8;

constexpr auto kLookEvery = std::chrono::milliseconds(20);

}  // namespace

void PrepareAllocator() {
  mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  mallopt(M_TRIM_THRESHOLD, kKeptEnd);
}

// Asked many times a second: one system call, and nothing is allocated.
uint64_t ResidentBytes() {
  static const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[128] = {};
  const ssize_t size = pread(file, text, sizeof text - 1, 0);
  const char* second = size > 0 ? std::strchr(text, ' ') : nullptr;
  uint64_t pages = 0;
  if (second != nullptr) std::from_chars(second + 1, text + size, pages);
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Whoever starts it opens the file: its descriptor may be one that libuv has just closed by a bare
// system call, and to ThreadSanitizer another thread that gets it races.
MemoryTrimmer::MemoryTrimmer(cache::Store& store) : store_(store) {
  ResidentBytes();
  thread_ = std::thread([this] { Run(); });
}

MemoryTrimmer::~MemoryTrimmer() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  stopped_.notify_one();
  thread_.join();
}

void MemoryTrimmer::Run() {
  const uint64_t memory = store_.limit();
  const uint64_t little = memory / 128;
  std::unique_lock lock(mutex_);
  uint64_t trimmed_to = 0;  // a trim visits every free piece: not before there is more again
  while (!stopped_.wait_for(lock, kLookEvery, [this] { return stops_; })) {
    const uint64_t now = ResidentBytes();
    trimmed_to = std::min(trimmed_to, now);
    if (now <= memory) continue;
    lock.unlock();
    store_.MakeRoomFor(std::min(now - memory, memory / kMostPaidPart));
    store_.GiveBackMemory();
    lock.lock();
    if (now < std::max(memory, trimmed_to) + little) continue;
    lock.unlock();
    malloc_trim(0);
    lock.lock();
    trimmed_to = ResidentBytes();
  }
}

}  // namespace cistern::server
