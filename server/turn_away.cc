#include "server/turn_away.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace cistern::server {

// An empty socket buffer takes it. What the client has sent already is taken from the socket: else
// the kernel would answer with a reset, which may overtake the reason.
void TurnAway(int fd, std::string_view error) {
  std::string reply = "-";
  reply.append(error).append("\r\n");
  if (!error.empty())
    static_cast<void>(send(fd, reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  shutdown(fd, SHUT_WR);
  char sent[16384];
  static_cast<void>(recv(fd, sent, sizeof sent, MSG_DONTWAIT));
  close(fd);
}

}  // namespace cistern::server
