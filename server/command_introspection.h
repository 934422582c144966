// COMMAND and its subcommands: what clients are told of the command table.
#pragma once

#include "server/call.h"

namespace cistern::server {

// Handlers.
void CommandAll(Call& call);
void CommandCount(Call& call);
void CommandDocs(Call& call);
void CommandInfo(Call& call);
void CommandList(Call& call);

}  // namespace cistern::server
