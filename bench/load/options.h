// The command line that both generators share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

#include "bench/load/workload.h"

namespace cistern::load {

struct Target {
  uint16_t port = 0;
  size_t connections = 50;
  WorkloadOptions workload;
};

void AddOptions(CLI::App& app, Target& target);

}  // namespace cistern::load
