// The command table for people.
#pragma once

#include <string>

namespace cistern::server {

// What `cistern help-commands` prints: every row with its form and summary.
std::string HelpCommands();

// docs/commands.md, whole.
std::string CommandReferenceMarkdown();

}  // namespace cistern::server
