// From the configuration of groups to what cache/ and loader/ are made of.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cache/cache.h"
#include "net/loop.h"
#include "server/config/config.h"

namespace cistern::server {

// What the cache is told of a group.
cache::GroupConfig MakeGroupConfig(const GroupConfig& group);

// Opens every backend that can be opened ahead. The error names the group and the reason. `loops`,
// by index, outlive what is made.
tl::expected<std::vector<cache::GroupSpec>, std::string> MakeGroupSpecs(
    const Config& config, const std::vector<net::Loop*>& loops);

// Of what all nodes must agree on: the groups' names, prefixes, writes and leases, in any order.
uint64_t HashOfGroups(const Config& config);

}  // namespace cistern::server
