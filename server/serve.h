// The life of the process that runs a node.
#pragma once

#include <string>

#include "server/config/config.h"

namespace cistern::server {

// Runs a node until SIGTERM or SIGINT; at SIGHUP `file`, which `config` was loaded from, is read
// again. Then lets it finish what it has received. Returns the exit
// code: 0, or 1 when it could not start (the log says why). A SIGINT that comes then ends it
// at once. Called once, by main, before any other thread is started.
int Serve(Config config, const std::string& file);

}  // namespace cistern::server
