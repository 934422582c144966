// Clocks: what time it is, and how much CPU a process has had.
#pragma once

#include <cstdint>
#include <span>

namespace cistern::load {

uint64_t MonotonicNanoseconds();
// Of this process.
uint64_t OwnCpuNanoseconds();
// Of all threads of these processes, by the scheduler's own nanoseconds: kernel included, what the
// host took away not.
uint64_t CpuNanoseconds(std::span<const int> pids);

}  // namespace cistern::load
