// Reload: what of a configuration that was read again may take effect while the node runs.
#pragma once

#include <string>
#include <vector>

#include "server/config/config.h"

namespace cistern::server {

struct Reloaded {
  Config config;  // what holds from now on
  // One sentence each, that begins with the row's name.
  std::vector<std::string> changed;
  std::vector<std::string> refused;  // what takes a restart: as it was
  // What may change does not go together with what may not: then nothing at all has changed.
  std::vector<std::string> misfits;
};

// `next` has passed all checks of its own. Which rows may change stands in the table of rows;
// groups are matched by their names. (thread-safe)
Reloaded Reload(const Config& now, const Config& next);

}  // namespace cistern::server
