// From TOML to a Config by the row table: what is judged here is each value on its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/config/config.h"
#include "server/config/config_error.h"
#include "server/config/positions.h"

namespace cistern::server {

struct Reading {
  Config config;  // defaults where nothing, or something wrong, is given
  Positions positions;
  std::vector<ConfigError> errors;
  bool is_syntax_error = false;  // then it is the only error
};

Reading ReadToml(std::string_view text, const std::string& file_name);

}  // namespace cistern::server
