// Replay: what a policy would have hit, had a trace's requests come to it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bench/replay/trace.h"
#include "cache/eviction_policy.h"

namespace cistern::bench {

struct ReplayOptions {
  std::string policy;     // one of ReplayPolicies()
  bool in_bytes = false;  // objects weigh their sizes; else 1 each
  uint64_t capacity = 0;  // in these
  size_t shards = 1;      // the keys are split by hash; the capacity is common, as in the store
};

struct ReplayResult {
  uint64_t requests = 0;
  uint64_t misses = 0;
  uint64_t request_bytes = 0;
  uint64_t miss_bytes = 0;
  uint64_t most_resident = 0;  // as capacity
  uint64_t evictions = 0;
  cache::PolicyCounts counts;
  double seconds = 0;

  double MissRatio() const;
  double ByteMissRatio() const;
};

// The configuration's policies, with "lru" made exact, and besides: "lru-lazy", as the server has
// it, and "lfu-plain", without ageing.
std::span<const std::string_view> ReplayPolicies();

// libCacheSim's rules: every request is a get; what misses is kept at once unless it is larger than
// the cache, after what has to go for it has gone; no overhead, no TTL, no warm-up.
// REQUIRES: the policy is one of ReplayPolicies().
ReplayResult Replay(const Trace& trace, const ReplayOptions& options);

}  // namespace cistern::bench
