// What this program calls itself.
#pragma once

#include <string_view>

namespace cistern::server {

inline constexpr std::string_view kVersion = CISTERN_VERSION;
// Clients choose features by Redis's version: the one whose behaviour ours is.
inline constexpr std::string_view kRedisVersion = "7.4.0";

}  // namespace cistern::server
