#include "server/admin/admin_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "server/admin/metrics.h"
#include "tests/server/admin/sample_snapshot.h"

namespace cistern::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class AdminServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started =
        AdminServer::Start(net::Address::Tcp("127.0.0.1", 0),
                           {.stats = SampleSnapshot, .ready = [this] { return ready_.load(); }});
    ASSERT_TRUE(started) << started.error();
    server_ = std::move(*started);
    ASSERT_NE(server_->bound_port(), 0);
  }

  // Sends the bytes on a connection of their own, and reads until the server closes it.
  std::string Exchange(const std::string& request) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return "no socket";
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(server_->bound_port());
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string reply;
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;)
      reply.append(buffer, static_cast<size_t>(n));
    close(fd);
    return reply;
  }

  std::string Request(const std::string& method, const std::string& path) {
    return Exchange(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  static std::string BodyOf(const std::string& reply) {
    const size_t end = reply.find("\r\n\r\n");
    return end == std::string::npos ? "no body" : reply.substr(end + 4);
  }

  std::atomic<bool> ready_{true};
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, MetricsAreTheTablesText) {
  const std::string reply = Request("GET", "/metrics");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_EQ(BodyOf(reply), PrometheusText(SampleSnapshot()));
}

TEST_F(AdminServerTest, StatsAreJson) {
  const std::string reply = Request("GET", "/stats");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(reply, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_EQ(nlohmann::json::parse(BodyOf(reply)).at("groups").at("users").at("gets"), 2001);
}

TEST_F(AdminServerTest, HealthNeedsOnlyTheProcess) {
  ready_ = false;
  EXPECT_THAT(Request("GET", "/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, ReadinessIsAskedEachTime) {
  EXPECT_THAT(Request("GET", "/readyz"), StartsWith("HTTP/1.1 200 "));
  ready_ = false;
  EXPECT_THAT(Request("GET", "/readyz"), StartsWith("HTTP/1.1 503 "));
  ready_ = true;
  EXPECT_THAT(Request("GET", "/readyz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, TheIndexNamesEveryPage) {
  const std::string reply = Request("GET", "/");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
  for (const char* path : {"/metrics", "/stats", "/healthz", "/readyz"}) {
    EXPECT_THAT(reply, HasSubstr("href=\"" + std::string(path) + "\""));
    EXPECT_THAT(Request("GET", path), StartsWith("HTTP/1.1 200 "));
  }
}

TEST_F(AdminServerTest, HeadIsGetWithoutTheBody) {
  const std::string reply = Request("HEAD", "/healthz");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_EQ(BodyOf(reply), "");
}

TEST_F(AdminServerTest, QueriesAreIgnored) {
  EXPECT_THAT(Request("GET", "/healthz?verbose=1"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, OtherPathsAreNotFound) {
  EXPECT_THAT(Request("GET", "/metrics/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Request("POST", "/nothing"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(AdminServerTest, OtherMethodsAreNotAllowed) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const std::string reply = Request(method, "/metrics");
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(reply, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
  EXPECT_THAT(Exchange("POST /stats HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                       "Connection: close\r\n\r\nhello"),
              StartsWith("HTTP/1.1 405 "));
}

TEST_F(AdminServerTest, WhatIsNoHttpGetsNoPage) {
  const std::string reply = Exchange("*1\r\n$4\r\nPING\r\n\r\n");
  EXPECT_EQ(reply.find("200"), std::string::npos);
}

TEST_F(AdminServerTest, OneConnectionTakesManyRequests) {
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
  const std::string reply = Exchange(get + "\r\n" + get + "Connection: close\r\n\r\n");
  EXPECT_THAT(reply, EndsWith("ok\n"));
  EXPECT_NE(reply.find("ok\n"), reply.rfind("ok\n"));
}

TEST_F(AdminServerTest, APortThatIsTakenIsAnError) {
  const auto address = net::Address::Tcp("127.0.0.1", server_->bound_port());
  const auto second = AdminServer::Start(address, {.stats = SampleSnapshot, .ready = {}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), address.ToString() + ": Address already in use");
}

TEST_F(AdminServerTest, AfterItIsGoneThePortIsFree) {
  const auto address = net::Address::Tcp("127.0.0.1", server_->bound_port());
  Request("GET", "/healthz");
  server_.reset();
  const auto again = AdminServer::Start(address, {.stats = SampleSnapshot, .ready = {}});
  EXPECT_TRUE(again) << again.error();
}

TEST(AdminServerAddressTest, UnixSocketsAreRefused) {
  EXPECT_FALSE(AdminServer::Start(net::Address::Unix("/tmp/x"), {}));
}

TEST(AdminServerAddressTest, Ipv6IsServed) {
  const auto started = AdminServer::Start(net::Address::Tcp("::1", 0), {});
  if (!started) GTEST_SKIP() << started.error();  // a machine without IPv6
  EXPECT_NE((*started)->bound_port(), 0);
}

}  // namespace
}  // namespace cistern::server
