// A whole node in this process: one worker, any free ports.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "net/stream.h"
#include "server/config/load.h"
#include "server/node.h"

namespace cistern::server {

// Group "cached" (keys "c:...") stores what is set; "broken" ("b:...") has a backend where nobody
// listens; other keys have no group.
inline Config NodeConfigForTests() {
  Config config = DefaultConfig();
  config.node.name = "a";
  config.server.listen = {"127.0.0.1:0"};
  config.server.workers = 2;
  config.server.max_clients = 100;
  config.server.memory = 64 << 20;
  config.admin.listen.clear();
  config.cluster.listen = config.cluster.advertise = "127.0.0.1:0";
  GroupConfig cached = DefaultGroup();
  cached.name = "cached";
  cached.prefix = "c:";
  cached.ttl = Duration(0);
  cached.writes = WriteMode::kCache;
  cached.backend.type = BackendType::kNone;
  GroupConfig broken = DefaultGroup();
  broken.name = "broken";
  broken.prefix = "b:";
  broken.backend.type = BackendType::kRedis;
  broken.backend.address = "127.0.0.1:1";
  config.groups = {cached, broken};
  return config;
}

class NodeFixture {
 public:
  explicit NodeFixture(Config config = NodeConfigForTests()) {
    net::IgnoreSigpipe();
    spdlog::default_logger();  // made here, as main() does, before there are threads
    auto node = Node::Start(std::move(config));
    EXPECT_TRUE(node.has_value()) << node.error();
    if (node) node_ = std::move(*node);
  }

  Node& node() { return *node_; }

  // One connection sends all of `lines` at once; returns the bytes of all replies.
  std::string Session(const std::vector<std::string>& lines) {
    std::string requests;
    for (const std::string& line : lines)
      requests += line + "\r\n";
    return Exchange(requests);
  }
  std::string Ask(const std::string& line) { return Session({line}); }

  std::string Exchange(std::string requests) {
    constexpr std::string_view kBye = "+OK\r\n";
    requests += "QUIT\r\n";
    std::string replies = SendAndReadToEnd(requests);
    EXPECT_TRUE(replies.ends_with(kBye)) << replies;
    return replies.substr(0, replies.size() - std::min(replies.size(), kBye.size()));
  }

  std::string SendAndReadToEnd(std::string_view requests) {
    const int fd = Connect();
    Send(fd, requests);
    std::string replies;
    char buffer[65536];
    for (ssize_t got = 0; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;)
      replies.append(buffer, static_cast<size_t>(got));
    close(fd);
    return replies;
  }

  // Closes without reading a reply.
  void SendAndLeave(std::string_view requests) {
    const int fd = Connect();
    Send(fd, requests);
    close(fd);
  }

  // A socket; whose it is from now on.
  int Connect() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(node_->listening().front().port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

 private:
  static void Send(int fd, std::string_view requests) {
    while (!requests.empty()) {
      const ssize_t sent = send(fd, requests.data(), requests.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      requests.remove_prefix(static_cast<size_t>(sent));
    }
  }

  std::unique_ptr<Node> node_;
};

}  // namespace cistern::server
