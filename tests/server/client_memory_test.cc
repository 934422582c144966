// One budget: what clients hold is part of `memory`; entries pay first, then clients, the costliest
// before others.
#include <gmock/gmock.h>

#include "tests/server/node_fixture.h"
#include "tests/server/test_client.h"

namespace cistern::server {
namespace {

using testing::HasSubstr;

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kMemory = 64 * kMiB;  // of NodeConfigForTests

class ClientMemoryTest : public testing::Test {
 protected:
  TestClient Connect() { return TestClient(server_.Connect()); }
  static std::string Say(TestClient& client, const std::string& line) {
    client.Send(line + "\r\n");
    return client.ReadReply();
  }
  uint64_t used(cache::ChargeKind kind) { return server_.node().cache().store().used(kind); }
  // A request of which the last bytes do not come, held by the server when this returns, unless it
  // closes the client before.
  void Hold(TestClient& client, size_t bytes) {
    const uint64_t before = used(cache::ChargeKind::kClients);
    client.Send("*2\r\n$4\r\nECHO\r\n$" + std::to_string(bytes + 1) + "\r\n");
    const std::string part(kMiB, 'x');
    for (size_t sent = 0; sent < bytes; sent += part.size()) {
      if (!client.TrySend(part)) return;
    }
    Until([&] {
      return client.is_closed() || evicted() > 0 ||
             used(cache::ChargeKind::kClients) >= before + bytes;
    });
  }
  uint64_t evicted() { return server_.node().stats().Read().evicted_clients; }
  static void Until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "it does not come true";
      std::this_thread::yield();
    }
  }

  NodeFixture server_;
};

TEST_F(ClientMemoryTest, EntriesGoBeforeClients) {
  TestClient writer = Connect();
  const std::string value(100'000, 'v');
  for (int i = 0; i < 500; ++i)
    ASSERT_EQ(Say(writer,
                  "*3\r\n" + Bulk("SET") + Bulk("c:" + std::to_string(i)) + "$100000\r\n" + value),
              "+OK\r\n");
  TestClient greedy = Connect();
  Hold(greedy, 40 * kMiB);
  EXPECT_FALSE(greedy.is_closed());
  EXPECT_EQ(Say(writer, "EXISTS c:0"), ":0\r\n");
  EXPECT_EQ(Say(writer, "EXISTS c:499"), ":1\r\n");
  EXPECT_LE(server_.node().cache().store().Excess(), kMiB);
}

// They are on two workers.
TEST_F(ClientMemoryTest, CostliestClientIsClosedOnWhicheverWorkerItIs) {
  TestClient small = Connect();
  TestClient large = Connect();
  TestClient other = Connect();
  Hold(large, 40 * kMiB);
  Hold(small, 30 * kMiB);
  EXPECT_EQ(large.ReadToEnd(), "");
  EXPECT_FALSE(small.is_closed());
  EXPECT_EQ(Say(other, "PING"), "+PONG\r\n");
  EXPECT_THAT(Say(other, "INFO stats"), HasSubstr("evicted_clients:1\r\n"));
}

TEST_F(ClientMemoryTest, ExemptClientIsSparedThoughItCostsMost) {
  TestClient exempt = Connect();
  TestClient other = Connect();
  ASSERT_EQ(Say(exempt, "CLIENT NO-EVICT on"), "+OK\r\n");
  Hold(exempt, 50 * kMiB);
  Hold(other, 30 * kMiB);
  EXPECT_EQ(other.ReadToEnd(), "");
  EXPECT_FALSE(exempt.is_closed());
}

TEST_F(ClientMemoryTest, NewWorkIsRefusedWhileNobodyCanPay) {
  TestClient exempt = Connect();
  TestClient other = Connect();
  ASSERT_EQ(Say(other, "SET c:k v"), "+OK\r\n");
  ASSERT_EQ(Say(exempt, "CLIENT NO-EVICT on"), "+OK\r\n");
  Hold(exempt, kMemory);
  EXPECT_EQ(Say(other, "SET c:k v"),
            "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_EQ(Say(other, "GET b:x"), "-OVERLOAD server.memory is full of what is under way\r\n");
  EXPECT_EQ(Say(other, "MGET b:x b:y"), "-OVERLOAD server.memory is full of what is under way\r\n");
  EXPECT_EQ(Say(other, "PING"), "+PONG\r\n");
  EXPECT_EQ(Say(other, "DEL c:k"), ":0\r\n");
  EXPECT_EQ(Connect().ReadToEnd(), "-OVERLOAD server.memory is full of what clients hold\r\n");
  exempt.Close();
  Until([&] { return Say(other, "SET c:k v") == "+OK\r\n"; });
}

// Each pins another version of the value, none reads. What is pinned is no entry any more.
TEST_F(ClientMemoryTest, RepliesThatAreNotReadStayWithinMemory) {
  constexpr size_t kValue = 7 * kMiB;
  TestClient writer = Connect();
  std::vector<TestClient> readers;
  for (int i = 0; i < 30; ++i) {
    const std::string set = "*3\r\n" + Bulk("SET") + Bulk("c:big") +
                            Bulk(std::string(kValue, static_cast<char>('a' + i % 26)));
    Until([&] { return Say(writer, set) == "+OK\r\n"; });
    readers.push_back(Connect());
    readers.back().Send("GET c:big\r\n");
    ASSERT_EQ(readers.back().Read(1), "$");  // the value, or null where it had to go
    EXPECT_LE(server_.node().cache().store().Excess(), 2 * kValue);
  }
  readers.clear();
  const std::string set = "*3\r\n" + Bulk("SET") + Bulk("c:big") + Bulk(std::string(kValue, 'z'));
  Until([&] { return Say(writer, set) == "+OK\r\n" && Say(writer, "EXISTS c:big") == ":1\r\n"; });
}

TEST_F(ClientMemoryTest, NoTouchLeavesTheOrderOfEvictionAsItIs) {
  TestClient writer = Connect();
  TestClient touching = Connect();
  TestClient looking = Connect();
  ASSERT_EQ(Say(looking, "CLIENT NO-TOUCH on"), "+OK\r\n");
  ASSERT_EQ(Say(writer, "SET c:touched v"), "+OK\r\n");
  ASSERT_EQ(Say(writer, "SET c:looked v"), "+OK\r\n");
  const std::string value(20'000, 'v');
  for (int i = 0; i < 5'000; ++i) {  // 100 MB through 64 MiB
    ASSERT_EQ(
        Say(writer, "*3\r\n" + Bulk("SET") + Bulk("c:" + std::to_string(i)) + "$20000\r\n" + value),
        "+OK\r\n");
    Say(touching, "GET c:touched");
    Say(looking, "GET c:looked");
  }
  EXPECT_EQ(Say(writer, "EXISTS c:touched"), ":1\r\n");
  EXPECT_EQ(Say(writer, "EXISTS c:looked"), ":0\r\n");
}

}  // namespace
}  // namespace cistern::server
