// Names of a client's socket for people, and how it is set up.
#pragma once

#include <string>

namespace cistern::server {

// "127.0.0.1:50312", "[::1]:50312", a unix socket's path with "unix:" in front; empty if the socket
// has none or is no longer connected.
std::string PeerName(int fd);
std::string LocalName(int fd);

// Lets the kernel find out within some minutes that the other side is gone without a word. Sockets
// that know no keep-alive stay as they are.
void KeepAlive(int fd);

// Lets the kernel take little more than the client reads: what a client leaves unread is then held
// here, where it is counted. Not for sockets that know no such limit.
void LimitUnsent(int fd);

}  // namespace cistern::server
