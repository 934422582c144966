// What can only be judged when the whole configuration is known.
#pragma once

#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/config/positions.h"

namespace cistern::server {

struct Finding {
  SourcePosition position;
  std::string message;
};

// Fills defaults that depend on other rows or on the machine: names, addresses, how groups without
// a backend behave.
void Complete(Config& config, const Positions& positions);

// Findings in no particular order. Values that are not Sound() are not judged again.
std::vector<Finding> CheckConfig(const Config& config, const Positions& positions);

}  // namespace cistern::server
