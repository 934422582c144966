// MemoryTrimmer: memory that was freed goes back to the system, so that what entries gave up for
// clients' buffers is not resident twice.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "cache/store.h"

namespace cistern::server {

// Large buffers come from the system and return to it at once. Called by main before there are
// threads; a program that does not call it works as well.
void PrepareAllocator();

// A thread of its own: an allocator keeps what was freed by the thread that had allocated it, while
// other threads ask the system for more. What stays resident beyond `memory` all the same (what the
// allocator loses, the program itself) is paid for by entries, up to an eighth of it.
class MemoryTrimmer {
 public:
  // Looks after the process's memory as long as it lives; `store` outlives it.
  explicit MemoryTrimmer(cache::Store& store);
  MemoryTrimmer(const MemoryTrimmer&) = delete;
  MemoryTrimmer& operator=(const MemoryTrimmer&) = delete;
  ~MemoryTrimmer();

 private:
  void Run();

  cache::Store& store_;
  std::mutex mutex_;  // guards the next one
  bool stops_ = false;
  std::condition_variable stopped_;
  std::thread thread_;
};

// What the process has in memory now, in bytes.
uint64_t ResidentBytes();

}  // namespace cistern::server
