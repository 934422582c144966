// The life of the process that runs a node.
#pragma once

#include "server/config/config.h"

namespace cistern::server {

// Runs a node until SIGTERM or SIGINT, then lets it finish what it has received. Returns the exit
// code: 0, or 1 when it could not start (the log says why). A SIGINT that comes then ends it
// at once. Called once, by main, before any other thread is started.
int Serve(Config config);

}  // namespace cistern::server
