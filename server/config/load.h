// Reads a configuration: all of it is checked before anything is used.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/config.h"
#include "server/config/config_error.h"

namespace cistern::server {

using LoadedConfig = tl::expected<Config, std::vector<ConfigError>>;

// Reads and checks the file. Errors are never empty: the first one of syntax, or else all others,
// in the order of their positions. The calling thread reads the file, asks for the host name, and
// reads the certificates that the configuration names; nothing else of it is opened or resolved.
LoadedConfig LoadConfig(const std::string& path);

// The same for a text. `file_name` is what errors say, and its folder is where relative paths
// start.
LoadedConfig ParseConfig(std::string_view text, const std::string& file_name);

// The table's defaults: a node without groups, and a group without name, prefix and backend.
Config DefaultConfig();
GroupConfig DefaultGroup();

}  // namespace cistern::server
