// TurnAway: a client that is not served.
#pragma once

#include <string_view>

namespace cistern::server {

// Tells it why, unless that is empty (whoever comes for TLS would not understand), and closes its
// socket, without waiting for it.
void TurnAway(int fd, std::string_view error);

}  // namespace cistern::server
