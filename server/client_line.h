// A client's line of CLIENT LIST.
#pragma once

#include <string>

#include "server/client_connection.h"

namespace cistern::server {

// In the fields and the order of Redis 7.4, its end included. What a client here cannot have
// (subscriptions, a transaction, a redirection) is shown as Redis shows its absence. On the
// client's thread.
std::string ClientLine(const ClientConnection& connection, cache::Instant now);

}  // namespace cistern::server
