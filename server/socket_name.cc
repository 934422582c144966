#include "server/socket_name.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace cistern::server {
namespace {

// As Redis's tcp-keepalive by default.
constexpr int kIdleSeconds = 300;
constexpr int kProbes = 3;
// Beyond what is on its way: enough for the next write to come while this one is sent.
constexpr int kUnsentBytes = 128 * 1024;

std::string NameOf(const sockaddr_storage& address, socklen_t size) {
  if (address.ss_family == AF_UNIX) {
    const auto& path = reinterpret_cast<const sockaddr_un&>(address).sun_path;
    const size_t length = size > offsetof(sockaddr_un, sun_path) ? size - sizeof(sa_family_t) : 0;
    return length == 0 ? "unix:" : "unix:" + std::string(path, strnlen(path, length));
  }
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, port,
                  sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  const bool is_v6 = address.ss_family == AF_INET6;
  return (is_v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

}  // namespace

std::string PeerName(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return NameOf(address, size);
}

std::string LocalName(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return NameOf(address, size);
}

void KeepAlive(int fd) {
  const auto set = [fd](int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
  };
  // A socket that refuses works without.
  static_cast<void>(set(SOL_SOCKET, SO_KEEPALIVE, 1) &&
                    set(IPPROTO_TCP, TCP_KEEPIDLE, kIdleSeconds) &&
                    set(IPPROTO_TCP, TCP_KEEPINTVL, kIdleSeconds / kProbes) &&
                    set(IPPROTO_TCP, TCP_KEEPCNT, kProbes));
}

void LimitUnsent(int fd) {
  static_cast<void>(
      setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes));
}

}  // namespace cistern::server
