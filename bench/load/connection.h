// Connection: a client's socket on this machine, and the set that waits for many of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::load {

// Says why on standard error and ends the process: a generator that was disturbed measures nothing.
[[noreturn]] void Fail(const std::string& what);

class Connection {
 public:
  explicit Connection(uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int socket() const { return socket_; }
  // All of it: waits where the kernel takes no more.
  void Send(std::string_view bytes);
  // What one read brings. Valid until any connection's next call.
  std::string_view Read();

 private:
  int socket_;
};

class ConnectionSet {
 public:
  ConnectionSet(uint16_t port, size_t count);
  ~ConnectionSet();
  ConnectionSet(const ConnectionSet&) = delete;
  ConnectionSet& operator=(const ConnectionSet&) = delete;

  size_t size() const { return connections_.size(); }
  Connection& operator[](size_t i) { return *connections_[i]; }
  // Indices of those that have something to read; none after `timeout_ms`. Valid until the next
  // call.
  std::span<const size_t> Wait(int timeout_ms);

 private:
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::array<size_t, 64> ready_;
};

}  // namespace cistern::load
