// WorkerStats: counters of one worker's clients, written by its thread, read by any.
#pragma once

#include <array>
#include <bit>

#include "cache/stats.h"

namespace cistern::server {

// Counts by powers of two of nanoseconds. Written by one thread, read by any.
class Histogram {
 public:
  static constexpr size_t kBuckets = 40;  // the last one: from 2^39 ns (9 minutes) on

  void Add(uint64_t nanoseconds) {
    const size_t bucket = static_cast<size_t>(std::bit_width(nanoseconds));
    buckets_[bucket < kBuckets ? bucket : kBuckets - 1].Add();
    sum_.Add(nanoseconds);
  }
  // How many were in [2^(i-1), 2^i) ns; at i = 0 exactly 0.
  uint64_t bucket(size_t i) const { return buckets_[i].value(); }
  uint64_t sum_nanoseconds() const { return sum_.value(); }
  uint64_t count() const {
    uint64_t sum = 0;
    for (const cache::Counter& bucket : buckets_)
      sum += bucket.value();
    return sum;
  }

 private:
  std::array<cache::Counter, kBuckets> buckets_;
  cache::Counter sum_;
};

struct WorkerStats {
  cache::Counter connections;          // adopted, ever
  cache::Counter commands;             // requests answered or begun, refused ones included
  cache::Counter reads;                // reads that brought bytes: with `commands` the depth of
                                       // pipelines
  cache::Counter input_bytes;          // read from clients
  cache::Counter output_bytes;         // of replies, when handed to the socket
  cache::Counter error_replies;        // of unknown commands, wrong arity, no authentication
  cache::Counter protocol_errors;      // clients closed for bytes that are no requests
  cache::Counter closed_output_limit;  // clients closed because they did not read
  cache::Counter closed_idle;
  Histogram hit_batches;  // one in 64 batches of a read that were all answered at once: its time
                          // from the read's return to its write's
};

}  // namespace cistern::server
