// Commands that run where their key is owned: here, or at another node.
#pragma once

#include "server/call.h"

namespace cistern::server {

// Handler of SET, TTL and PTTL: hands the whole request to the owner of its key. (OwnerCommands
// runs it there.)
void RunAtOwner(Call& call);

}  // namespace cistern::server
