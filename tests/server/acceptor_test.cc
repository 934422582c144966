#include "server/acceptor.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "server/client_connection.h"
#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

TestClient Dial(const net::Address& address) {
  sockaddr_storage to{};
  socklen_t size = 0;
  if (address.kind == net::Address::Kind::kUnix) {
    auto& un = reinterpret_cast<sockaddr_un&>(to);
    un.sun_family = AF_UNIX;
    address.path.copy(un.sun_path, sizeof un.sun_path - 1);
    size = sizeof un;
  } else {
    auto& in = reinterpret_cast<sockaddr_in&>(to);
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof in;
  }
  const int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), size), 0) << address.ToString();
  return TestClient(fd);
}

class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() { server_.Start(); }
  ~AcceptorTest() override {
    server_.On([this] { acceptor_.reset(); });
  }
  // Empty, or the error.
  std::string Open(std::vector<std::string> addresses, size_t max_clients = 100) {
    std::string error;
    server_.On([&] {
      Worker* const workers[] = {&server_.worker()};
      auto opened = Acceptor::Open(server_.loop(), addresses, workers, max_clients);
      if (!opened) {
        error = opened.error();
      } else {
        acceptor_ = std::move(*opened);
      }
    });
    return error;
  }

  TestServer server_;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, ServesEveryAddress) {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / ("acceptor_test." + std::to_string(getpid()));
  ASSERT_EQ(Open({"127.0.0.1:0", "unix:" + path.string()}), "");
  for (const net::Address& address : acceptor_->addresses()) {
    TestClient client = Dial(address);
    client.Send("PING\r\n");
    EXPECT_EQ(client.Read(7), "+PONG\r\n");
  }
}

TEST_F(AcceptorTest, NamesClientsInTheOrderTheyCame) {
  ASSERT_EQ(Open({"127.0.0.1:0"}), "");
  TestClient a = Dial(acceptor_->addresses()[0]);
  a.Send("PING\r\n");
  a.Read(7);
  TestClient b = Dial(acceptor_->addresses()[0]);
  b.Send("PING\r\n");
  b.Read(7);
  server_.On([&] {
    std::map<uint64_t, std::string> addresses;
    server_.worker().ForEachClient(
        [&](ClientConnection& client) { addresses[client.state().id] = client.state().address; });
    ASSERT_EQ(addresses.size(), 2U);
    EXPECT_EQ(addresses.begin()->first, 1U);
    EXPECT_TRUE(addresses[2].starts_with("127.0.0.1:"));
  });
}

TEST_F(AcceptorTest, TurnsAwayWhoeverIsTooMany) {
  ASSERT_EQ(Open({"127.0.0.1:0"}, 2), "");
  const net::Address address = acceptor_->addresses()[0];
  TestClient a = Dial(address);
  {
    TestClient b = Dial(address);
    TestServer::Until([&] { return server_.worker().clients() == 2; });
    EXPECT_EQ(Dial(address).ReadToEnd(), "-ERR max number of clients reached\r\n");
    EXPECT_EQ(acceptor_->rejected(), 1U);
  }
  TestServer::Until([&] { return server_.worker().clients() == 1; });
  TestClient c = Dial(address);
  c.Send("PING\r\n");
  EXPECT_EQ(c.Read(7), "+PONG\r\n");
}

TEST_F(AcceptorTest, TakenPortIsNamed) {
  ASSERT_EQ(Open({"127.0.0.1:0"}), "");
  const std::string taken = acceptor_->addresses()[0].ToString();
  std::string error;
  server_.On([&] {
    Worker* const workers[] = {&server_.worker()};
    error = Acceptor::Open(server_.loop(), std::vector{taken}, workers, 1).error();
  });
  EXPECT_NE(error.find(taken), std::string::npos) << error;
}

TEST_F(AcceptorTest, ClosedAcceptsNoMoreAndKeepsItsClients) {
  ASSERT_EQ(Open({"127.0.0.1:0"}), "");
  TestClient client = Dial(acceptor_->addresses()[0]);
  TestServer::Until([&] { return server_.worker().clients() == 1; });
  server_.On([&] { acceptor_->Close(); });
  EXPECT_EQ(Open({acceptor_->addresses()[0].ToString()}), "");
  client.Send("PING\r\n");
  EXPECT_EQ(client.Read(7), "+PONG\r\n");
}

// Clients are dealt by their number, not by turn.
TEST(AcceptorDealTest, WorkerWithTheFewestGetsTheNext) {
  TestServer first;
  first.Start();
  TestServer second;
  second.Start();
  std::unique_ptr<Acceptor> acceptor;
  first.On([&] {
    Worker* const workers[] = {&first.worker(), &second.worker()};
    acceptor = std::move(
        *Acceptor::Open(first.loop(), std::vector<std::string>{"127.0.0.1:0"}, workers, 100));
  });
  const net::Address address = acceptor->addresses()[0];
  const TestClient kept = second.Connect();
  std::vector<TestClient> clients;
  for (int i = 0; i < 9; ++i)
    clients.push_back(Dial(address));
  TestServer::Until([&] { return first.worker().clients() + second.worker().clients() == 10; });
  EXPECT_EQ(first.worker().clients(), 5U);
  EXPECT_EQ(second.worker().clients(), 5U);
  first.On([&] { acceptor.reset(); });
}

}  // namespace
}  // namespace cistern::server
