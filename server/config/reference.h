// The row table for people.
#pragma once

#include <string>

namespace cistern::server {

// What `cistern help-config` prints: every row with its type, default, range and sentence.
std::string HelpConfig();

// docs/configuration.md, whole.
std::string ConfigReferenceMarkdown();

}  // namespace cistern::server
