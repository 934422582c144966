#include "server/config/config_error.h"

#include <fmt/format.h>

namespace cistern::server {

std::string ConfigError::ToString() const {
  if (position.line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, position.line, position.column, message);
}

std::string FormatErrors(const std::vector<ConfigError>& errors) {
  std::string text;
  for (const ConfigError& error : errors)
    text += error.ToString() + "\n";
  return text;
}

}  // namespace cistern::server
