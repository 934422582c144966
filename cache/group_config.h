// What a group is told: its prefix, its limits, its freshness rules. Immutable; replaced whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cache/clock.h"

namespace cistern::cache {

enum class Writes : uint8_t { kReject, kCache };

struct GroupConfig {
  std::string name;
  std::string prefix;               // keys that begin so; the longest match wins, "" catches all
  bool strip_prefix = false;        // the backend sees the key without it
  bool has_backend = true;          // false: `none`, nothing to load from
  std::optional<uint64_t> memory;   // bytes, carved out of the process's; absent: the shared rest
  std::string policy = "adaptive";  // of eviction, where there is `memory`
  Duration ttl{0};                  // 0: until evicted
  double ttl_jitter = 0;            // an entry's TTL is shortened by up to this part, 0 to 1
  Duration negative_ttl{0};         // how long "not found" is kept; 0: not at all
  // What a load brings that began so soon after an invalidation is kept until that time is over;
  // 0: as long as any other.
  Duration hold_off{0};
  uint64_t max_value = 16ULL << 20;  // bytes; a larger loaded one is answered, not kept
  Writes writes = Writes::kReject;
  uint32_t max_loads = 4096;               // in flight, a node
  uint64_t max_load_bytes = 256ULL << 20;  // of loads in flight and what they brought, a node
  uint32_t max_waiters = 100000;           // requests waiting for loads, a node
  uint32_t hot_sample = 10;  // 1 forwarded GET in so many wishes a lease; 0: no hot copies
  double hot_share = 0.125;  // of the budget, when main entries need the room
  Duration hot_lease = std::chrono::seconds(1);
};

}  // namespace cistern::cache
