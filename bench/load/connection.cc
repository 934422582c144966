#include "bench/load/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cistern::load {

void Fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

Connection::Connection(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  if (socket_ < 0) Fail(std::string("socket: ") + std::strerror(errno));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    Fail(std::string("connect: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Connection::~Connection() {
  close(socket_);
}

void Connection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) Fail(std::string("send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

std::string_view Connection::Read() {
  static char buffer[1 << 18];
  const ssize_t n = recv(socket_, buffer, sizeof(buffer), 0);
  if (n == 0) Fail("the server has closed a connection");
  if (n < 0) Fail(std::string("recv: ") + std::strerror(errno));
  return {buffer, static_cast<size_t>(n)};
}

ConnectionSet::ConnectionSet(uint16_t port, size_t count) : epoll_(epoll_create1(0)) {
  for (size_t i = 0; i < count; ++i) {
    connections_.push_back(std::make_unique<Connection>(port));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i]->socket(), &event) != 0)
      Fail(std::string("epoll_ctl: ") + std::strerror(errno));
  }
}

ConnectionSet::~ConnectionSet() {
  close(epoll_);
}

std::span<const size_t> ConnectionSet::Wait(int timeout_ms) {
  std::array<epoll_event, std::tuple_size_v<decltype(ready_)>> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i)
    ready_[static_cast<size_t>(i)] = events[static_cast<size_t>(i)].data.u64;
  return std::span(ready_).first(count < 0 ? 0 : static_cast<size_t>(count));
}

}  // namespace cistern::load
