#include "bench/load/clocks.h"

#include <time.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "bench/load/connection.h"

namespace cistern::load {
namespace {

uint64_t Nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

uint64_t MonotonicNanoseconds() {
  return Nanoseconds(CLOCK_MONOTONIC);
}

uint64_t OwnCpuNanoseconds() {
  return Nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t CpuNanoseconds(std::span<const int> pids) {
  uint64_t sum = 0;
  for (const int pid : pids) {
    std::error_code error;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
      std::ifstream file(task.path() / "schedstat");
      uint64_t on_cpu = 0;
      file >> on_cpu;
      sum += on_cpu;
    }
    if (error) Fail("no such process: " + std::to_string(pid));
  }
  return sum;
}

}  // namespace cistern::load
