#include "net/listener.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cistern::net {
namespace {

// So that a storm of connections does not starve the loop's other work.
constexpr int kAcceptsPerWakeUp = 64;
constexpr cache::Duration kAcceptPause = std::chrono::milliseconds(50);

std::string LastError() {
  return uv_strerror(uv_translate_sys_error(errno));
}

tl::unexpected<std::string> Failed(const Address& address, const std::string& reason) {
  return tl::unexpected(address.ToString() + ": " + reason);
}

// Closes the socket on every failing path of opening it.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int NewSocket(int family) {
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

Result<int> BindTcp(const Address& address, int backlog) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (status != 0) return Failed(address, gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);

  Socket socket(NewSocket(found->ai_family));
  const int on = 1;
  if (socket.get() < 0 || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      (found->ai_family == AF_INET6 &&
       setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
      bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      listen(socket.get(), backlog) != 0)
    return Failed(address, LastError());
  return socket.Release();
}

sockaddr_un UnixName(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  return name;
}

// A process that died leaves its path behind; one that lives answers there.
Result<void> RemoveStale(const Address& address) {
  struct stat info {};
  if (lstat(address.path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return Failed(address, LastError());
  }
  if (!S_ISSOCK(info.st_mode)) return Failed(address, "exists and is not a socket");
  const Socket probe(NewSocket(AF_UNIX));
  const sockaddr_un name = UnixName(address.path);
  if (probe.get() < 0) return Failed(address, LastError());
  // Also EAGAIN (its backlog is full) means that somebody is there.
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ||
      errno != ECONNREFUSED)
    return Failed(address, "address already in use");
  if (unlink(address.path.c_str()) != 0 && errno != ENOENT) return Failed(address, LastError());
  return {};
}

Result<int> BindUnix(const Address& address, const Listener::Options& options) {
  if (const auto removed = RemoveStale(address); !removed) return tl::unexpected(removed.error());
  Socket socket(NewSocket(AF_UNIX));
  const sockaddr_un name = UnixName(address.path);
  if (socket.get() < 0 ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return Failed(address, LastError());
  // Between bind and listen everybody is refused: nobody enters before the permissions stand.
  if (chmod(address.path.c_str(), options.unix_mode) != 0 ||
      listen(socket.get(), options.backlog) != 0) {
    const std::string reason = LastError();
    unlink(address.path.c_str());
    return Failed(address, reason);
  }
  return socket.Release();
}

uint16_t PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

struct Listener::State {
  State(Loop& on, OnAccept callback) : loop(on), on_accept(std::move(callback)) {}

  int Watch();
  void OnReadable();
  void Pause();
  void Close();

  Loop& loop;
  OnAccept on_accept;
  uv_poll_t poll{};
  int fd = -1;
  Loop::TimerId pause = 0;
  std::string path;  // of a unix socket, to be removed
};

int Listener::State::Watch() {
  return uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
    static_cast<State*>(handle->data)->OnReadable();
  });
}

void Listener::State::OnReadable() {
  for (int i = 0; i < kAcceptsPerWakeUp && fd >= 0; ++i) {
    const int accepted = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      on_accept(accepted);  // may close this listener
      continue;
    }
    // A client that was gone before it was accepted is no reason to stop.
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) Pause();
    return;
  }
}

// Out of descriptors or memory: the connection stays in the backlog, so asking again at once would
// only burn the processor.
void Listener::State::Pause() {
  if (uv_poll_stop(&poll) != 0) return;
  pause = loop.After(kAcceptPause, [this] {
    if (Watch() != 0) Pause();
  });
}

void Listener::State::Close() {
  if (fd < 0) return;
  loop.Cancel(pause);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
  close(std::exchange(fd, -1));
  if (!path.empty()) unlink(path.c_str());
}

Result<std::unique_ptr<Listener>> Listener::Open(Loop& loop, const Address& address,
                                                 OnAccept on_accept, Options options) {
  assert(loop.OnOwnThread());
  const bool is_tcp = address.kind == Address::Kind::kTcp;
  const Result<int> bound = is_tcp ? BindTcp(address, options.backlog) : BindUnix(address, options);
  if (!bound) return tl::unexpected(bound.error());
  auto state = std::make_unique<State>(loop, std::move(on_accept));
  state->poll.data = state.get();
  state->fd = *bound;
  int status = uv_poll_init(loop.raw(), &state->poll, *bound);
  if (status != 0) {
    close(*bound);
    return Failed(address, uv_strerror(status));
  }
  State* const owned = state.release();  // from here on its handle's close callback frees it
  if (!is_tcp) owned->path = address.path;
  Address actual = address;
  if (is_tcp) actual.port = PortOf(*bound);
  std::unique_ptr<Listener> listener(new Listener(owned, std::move(actual)));
  status = owned->Watch();
  if (status != 0) return Failed(address, uv_strerror(status));
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::Open(Loop& loop, const Address& address,
                                                 OnAccept on_accept) {
  return Open(loop, address, std::move(on_accept), Options{});
}

Listener::~Listener() {
  Close();
}

void Listener::Close() {
  if (State* state = std::exchange(state_, nullptr)) state->Close();
}

}  // namespace cistern::net
