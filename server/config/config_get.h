// What CONFIG GET answers.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/config/config.h"

namespace cistern::server {

// Names and values of everything whose name matches the pattern (a glob, any letter case), in the
// order of the row table: dotted names ("server.memory", "group.users.ttl"), then Redis's own names
// with values as Redis writes them (maxmemory in bytes, timeout in seconds). Secrets are hidden.
// (thread-safe)
std::vector<std::pair<std::string, std::string>> ConfigGet(const Config& config,
                                                           std::string_view pattern);

}  // namespace cistern::server
