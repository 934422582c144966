// The text of INFO: Redis's sections and names where Redis has one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/cluster.h"
#include "server/admin/stats_snapshot.h"

namespace cistern::server {

// What INFO says beside the figures of the metric table.
struct InfoFacts {
  std::string run_id;  // 40 hexadecimal digits, of this start
  uint16_t tcp_port = 0;
  uint64_t max_clients = 0;
  std::string_view policy;  // of eviction
  uint64_t epoch = 0;       // of the placement
  std::vector<cluster::MemberState> members;
  std::vector<uint64_t> slots;  // owned, by member
};

// Sections in the order in which Redis has them, whatever the order of `names`: none, "default",
// "all" or "everything" means all of them. Unknown ones have no lines. (thread-safe)
std::string InfoText(const StatsSnapshot& snapshot, const InfoFacts& facts,
                     std::span<const std::string_view> names);

}  // namespace cistern::server
