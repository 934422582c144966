// What a request may be, and when: every row of `server.max_*` and `server.unauthenticated_*` that
// is about one client.
#include <gtest/gtest.h>

#include "server/client_connection.h"
#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

class RequestLimitsTest : public ::testing::Test {
 protected:
  // All replies to `requests`, if they end the connection.
  std::string RefusalOf(const std::string& requests) {
    server_.Start();
    TestClient client = server_.Connect();
    client.Send(requests);
    return client.ReadToEnd();
  }
  // As many bytes of replies to `requests` as `replies` has.
  void ExpectReplies(const std::string& requests, const std::string& replies) {
    server_.Start();
    TestClient client = server_.Connect();
    client.Send(requests);
    EXPECT_EQ(client.Read(replies.size()), replies);
  }

  TestServer server_;
};

std::string Elements(size_t count) {
  std::string request = "*" + std::to_string(count) + "\r\n" + Bulk("PING");
  for (size_t i = 1; i < count; ++i)
    request += Bulk("x");
  return request;
}

TEST_F(RequestLimitsTest, MaxElements) {
  server_.limits().max_elements = 20;
  EXPECT_EQ(RefusalOf(Elements(20) + Elements(21)),
            "+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n");
}

TEST_F(RequestLimitsTest, MaxBulk) {
  server_.limits().max_bulk = 2000;
  const std::string most(2000, 'x');
  EXPECT_EQ(RefusalOf(Ask({"ECHO", most}) + Ask({"ECHO", most + "x"})),
            Bulk(most) + "-ERR Protocol error: invalid bulk length\r\n");
}

TEST_F(RequestLimitsTest, MaxInline) {
  server_.limits().max_inline = 1024;
  const std::string most(1024 - 6, 'x');  // beside "ECHO " and the \r
  EXPECT_EQ(RefusalOf("ECHO " + most + "\r\nECHO " + most + "x\r\n"),
            Bulk(most) + "-ERR Protocol error: too big inline request\r\n");
}

TEST_F(RequestLimitsTest, MaxKey) {
  server_.limits().max_key = 16;
  const std::string most(16, 'k');
  ExpectReplies(Ask({"SET", most, "v"}) + Ask({"GET", most + "k"}),
                "+OK\r\n-ERR key is longer than 16 bytes\r\n");
}

TEST_F(RequestLimitsTest, RequestTimeoutIsTheDeadlineThatHandlersGet) {
  server_.limits().request_timeout = std::chrono::seconds(7);
  server_.Start();
  server_.On([] { State().logs = true; });
  TestClient client = server_.Connect();
  client.Send(Ask({"GET", "k"}));
  EXPECT_EQ(client.Read(5), "$-1\r\n");
  server_.On([] { EXPECT_EQ(State().log.at(0).time_allowed, std::chrono::seconds(7)); });
}

// ---- before authentication

class UnauthenticatedLimitsTest : public RequestLimitsTest {
 protected:
  UnauthenticatedLimitsTest() { server_.limits().password = "secret"; }

  static constexpr const char* kRefused = "-NOAUTH Authentication required.\r\n";
};

TEST_F(UnauthenticatedLimitsTest, Elements) {
  server_.limits().unauthenticated_elements = 12;
  EXPECT_EQ(RefusalOf(Elements(12) + Elements(13)),
            std::string(kRefused) + "-ERR Protocol error: unauthenticated multibulk length\r\n");
}

TEST_F(UnauthenticatedLimitsTest, Bulk) {
  server_.limits().unauthenticated_bulk = 2000;
  const std::string most(2000, 'x');
  EXPECT_EQ(RefusalOf(Ask({"ECHO", most}) + Ask({"ECHO", most + "x"})),
            std::string(kRefused) + "-ERR Protocol error: unauthenticated bulk length\r\n");
}

// By default it would have been closed at 1 KiB.
TEST_F(UnauthenticatedLimitsTest, UnreadReplies) {
  server_.limits().unauthenticated_output = 16 << 20;  // more than is unread when reading pauses
  server_.Start();
  TestClient client = server_.Connect();
  std::string requests;
  for (int i = 0; i < 10'000; ++i)
    requests += "PING\r\n";
  size_t sent = 0;
  TestServer::Until([&] {
    sent += client.SendSome(std::string_view(requests).substr(sent % requests.size()));
    size_t unread = 0;
    server_.On([&] {
      server_.worker().ForEachClient([&](ClientConnection& one) { unread = one.Costs().unsent; });
    });
    return unread > 64 << 10;
  });
  EXPECT_EQ(server_.stats().closed_output_limit.value(), 0U);
}

TEST_F(UnauthenticatedLimitsTest, TimeToAuthenticate) {
  server_.limits().unauthenticated_timeout = std::chrono::seconds(5);
  server_.Start();
  TestClient late = server_.Connect();
  TestClient known = server_.Connect();
  known.Send(Ask({"AUTH", "secret"}));
  EXPECT_EQ(known.Read(5), "+OK\r\n");
  server_.clock().Advance(std::chrono::seconds(6));
  EXPECT_EQ(late.ReadToEnd(), "");
  EXPECT_EQ(server_.stats().closed_unauthenticated.value(), 1U);
  known.Send("PING\r\n");
  EXPECT_EQ(known.Read(7), "+PONG\r\n");
}

TEST_F(UnauthenticatedLimitsTest, MemoryOfAllTogetherAndThoseThatCameFirstPay) {
  constexpr uint64_t kLimit = 1 << 20;
  server_.limits().unauthenticated_memory = kLimit;
  server_.Start();
  const std::string part = "*10\r\n" + server::Bulk("AUTH") +
                           server::Bulk(std::string(16384, 'x')) +
                           server::Bulk(std::string(16384, 'x')) + "$16384\r\nxxx";
  std::vector<TestClient> clients;
  for (uint64_t i = 1; i <= 40; ++i) {
    clients.push_back(server_.Connect());
    const uint64_t before = server_.stats().input_bytes.value();
    clients.back().Send(part);
    TestServer::Until([&] { return server_.stats().input_bytes.value() == before + part.size(); });
    server_.On([&] { EXPECT_LE(server_.charged(), kLimit + (size_t{128} << 10)); });
  }
  EXPECT_EQ(clients.front().ReadToEnd(), "");
  EXPECT_GT(server_.stats().closed_unauthenticated.value(), 0U);
  EXPECT_EQ(clients.back().ReadSome(), "");
  // Who means well is let in meanwhile.
  TestClient known = server_.Connect();
  known.Send(Ask({"AUTH", "secret"}) + "PING\r\n");
  EXPECT_EQ(known.Read(12), "+OK\r\n+PONG\r\n");
}

TEST_F(UnauthenticatedLimitsTest, IdleOnesAreCountedToo) {
  server_.limits().unauthenticated_memory = 20'000;
  server_.Start();
  std::vector<TestClient> clients;
  for (int i = 0; i < 40; ++i)
    clients.push_back(server_.Connect());
  EXPECT_EQ(clients.front().ReadToEnd(), "");
  TestServer::Until([&] { return server_.worker().clients() < 20; });
}

}  // namespace
}  // namespace cistern::server
