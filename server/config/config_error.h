// What is wrong with a configuration, and where.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cistern::server {

// Both count from 1; 0 where the file as a whole is at fault. Columns count characters.
struct SourcePosition {
  uint32_t line = 0;
  uint32_t column = 0;
  auto operator<=>(const SourcePosition&) const = default;
};

struct ConfigError {
  std::string file;
  SourcePosition position;
  std::string message;  // one sentence: what is wrong, and what to do

  // "conf/a.toml:12:5: message"
  std::string ToString() const;
};

// One a line, each line ended.
std::string FormatErrors(const std::vector<ConfigError>& errors);

}  // namespace cistern::server
