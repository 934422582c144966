// The life of the process that runs a node.
#pragma once

#include <string>

namespace cistern::server {

// Runs a node by the configuration in `file` until SIGTERM or SIGINT; at SIGHUP the file is read
// again. Then lets it finish what it has received. Returns the exit code: 0, or 1 when it could not
// start (standard error says what is wrong with the file, the log what else). A SIGINT that comes
// then ends it at once. Called once, by main, before any other thread is started.
int Serve(const std::string& file);

}  // namespace cistern::server
