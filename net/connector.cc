#include "net/connector.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace cistern::net {
namespace {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  Endpoint(const sockaddr* address, socklen_t bytes) : size(bytes) {
    std::memcpy(&storage, address, bytes);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Endpoint UnixEndpoint(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

std::string TextOf(int system_error) {
  return uv_strerror(uv_translate_sys_error(system_error));
}

// A socket that dials a free port of its own machine's ephemeral range may be given that very port
// and reach itself. Nobody listens there, whatever the kernel says.
bool ReachedItself(int fd) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0)
    return false;
  return own.ss_family != AF_UNIX && own_size == peer_size &&
         std::memcmp(&own, &peer, own_size) == 0;
}

}  // namespace

struct Connector::Flow : std::enable_shared_from_this<Flow> {
  // A look-up cannot be called back from libuv's thread: it outlives a cancelled flow.
  struct LookUp {
    uv_getaddrinfo_t request;
    std::weak_ptr<Flow> flow;
  };

  Flow(Loop& on, Done completion) : loop(on), done(std::move(completion)) {}
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  ~Flow() {
    loop.Cancel(timer);
    CloseAttempt();
  }

  void Start(const Address& address, cache::Duration timeout);
  void StartLookUp(const Address& address, int flags);
  void OnResolved(int status, const addrinfo* found);
  void TryNext();
  void OnPolled();
  void CloseAttempt();
  void FailLater(ConnectError error);
  void Finish(tl::expected<int, ConnectError> result);

  Loop& loop;
  Done done;
  Loop::TimerId timer = 0;
  std::vector<Endpoint> endpoints;
  size_t next = 0;
  std::string last_failure = "no address found";
  int fd = -1;
  uv_poll_t* poll = nullptr;  // watches fd while its connect is under way
};

void Connector::Flow::Start(const Address& address, cache::Duration timeout) {
  timer = loop.After(timeout, [this, timeout] {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
    Finish(tl::unexpected(
        ConnectError{true, "connect timed out after " + std::to_string(ms) + " ms"}));
  });
  if (address.kind == Address::Kind::kUnix) {
    endpoints.push_back(UnixEndpoint(address.path));
    TryNext();
    return;
  }
  sockaddr_in v4;
  sockaddr_in6 v6;
  if (uv_ip4_addr(address.host.c_str(), address.port, &v4) == 0) {
    endpoints.emplace_back(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    TryNext();
  } else if (uv_ip6_addr(address.host.c_str(), address.port, &v6) == 0) {
    endpoints.emplace_back(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    TryNext();
  } else {
    StartLookUp(address, 0);
  }
}

void Connector::Flow::StartLookUp(const Address& address, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  auto look_up = std::make_unique<LookUp>(LookUp{{}, weak_from_this()});
  look_up->request.data = look_up.get();
  const int status = uv_getaddrinfo(
      loop.raw(), &look_up->request,
      [](uv_getaddrinfo_t* request, int result, addrinfo* found) {
        const std::unique_ptr<LookUp> ended(static_cast<LookUp*>(request->data));
        if (const auto flow = ended->flow.lock()) flow->OnResolved(result, found);
        uv_freeaddrinfo(found);
      },
      address.host.c_str(), std::to_string(address.port).c_str(), &hints);
  if (status != 0) {
    FailLater({false, uv_strerror(status)});
    return;
  }
  [[maybe_unused]] const LookUp* now_the_callbacks = look_up.release();
}

void Connector::Flow::OnResolved(int status, const addrinfo* found) {
  if (!done) return;
  if (status != 0) last_failure = uv_strerror(status);
  for (const addrinfo* one = found; status == 0 && one != nullptr; one = one->ai_next)
    endpoints.emplace_back(one->ai_addr, one->ai_addrlen);
  TryNext();
}

void Connector::Flow::TryNext() {
  while (next < endpoints.size()) {
    const Endpoint& to = endpoints[next++];
    fd = socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (connect(fd, to.get(), to.size) == 0 || errno == EINPROGRESS)) {
      poll = new uv_poll_t;
      poll->data = this;
      int status = uv_poll_init(loop.raw(), poll, fd);
      if (status != 0) {
        delete std::exchange(poll, nullptr);
      } else {
        status = uv_poll_start(poll, UV_WRITABLE, [](uv_poll_t* handle, int, int) {
          static_cast<Flow*>(handle->data)->OnPolled();
        });
      }
      if (status == 0) return;
      last_failure = uv_strerror(status);
    } else {
      last_failure = TextOf(errno);
    }
    CloseAttempt();
  }
  FailLater({false, last_failure});
}

// libuv tells a refused connect as an event without its reason; the socket knows it.
void Connector::Flow::OnPolled() {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0 && ReachedItself(fd)) error = ECONNREFUSED;
  if (error == 0) {
    const int connected = std::exchange(fd, -1);
    CloseAttempt();
    Finish(connected);
    return;
  }
  last_failure = TextOf(error);
  CloseAttempt();
  TryNext();
}

void Connector::Flow::CloseAttempt() {
  if (poll != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(poll, nullptr)),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  }
  if (fd >= 0) close(std::exchange(fd, -1));
}

void Connector::Flow::FailLater(ConnectError error) {
  loop.Post([weak = weak_from_this(), failure = std::move(error)] {
    if (const auto flow = weak.lock()) flow->Finish(tl::unexpected(failure));
  });
}

// The last thing a flow does: `done` may destroy the Connector, and this with it.
void Connector::Flow::Finish(tl::expected<int, ConnectError> result) {
  if (!done) return;
  loop.Cancel(timer);
  CloseAttempt();
  const Done tell = std::exchange(done, nullptr);
  tell(std::move(result));
}

Connector::Connector(Loop& loop, const Address& address, cache::Duration timeout, Done done)
    : flow_(std::make_shared<Flow>(loop, std::move(done))) {
  flow_->Start(address, timeout);
}

Connector::~Connector() {
  flow_->done = nullptr;
}

}  // namespace cistern::net
