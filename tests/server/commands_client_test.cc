// CLIENT: what one client sees of the others and does to them, whichever workers they are on.
#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include "tests/server/node_fixture.h"
#include "tests/server/test_client.h"

namespace cistern::server {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class CommandsClientTest : public testing::Test {
 protected:
  TestClient Connect() { return TestClient(server_.Connect()); }
  static std::string Say(TestClient& client, const std::string& line) {
    client.Send(line + "\r\n");
    return client.ReadReply();
  }
  // The value of one field of CLIENT INFO.
  static std::string Field(TestClient& client, const std::string& name) {
    std::string info = Say(client, "CLIENT INFO");
    std::replace(info.begin(), info.end(), '\n', ' ');
    const size_t at = info.find(" " + name + "=");
    if (at == std::string::npos) return "(none)";
    const size_t start = at + name.size() + 2;
    return info.substr(start, info.find_first_of(" \r\n", start) - start);
  }
  // Four clients on two workers.
  std::vector<TestClient> ConnectFour() {
    std::vector<TestClient> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(Connect());
      EXPECT_EQ(Say(clients.back(), "CLIENT SETNAME c" + std::to_string(i)), "+OK\r\n");
    }
    return clients;
  }

  NodeFixture server_;
};

TEST_F(CommandsClientTest, InfoIsALineWithTheFieldsOfRedis74) {
  TestClient client = Connect();
  Say(client, "CLIENT SETNAME me");
  Say(client, "CLIENT SETINFO lib-name redis-py");
  EXPECT_THAT(
      Say(client, "CLIENT INFO"),
      MatchesRegex("[$][0-9]+\r\nid=[0-9]+ addr=127.0.0.1:[0-9]+ laddr=127.0.0.1:[0-9]+ fd=[0-9]+ "
                   "name=me age=0 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 "
                   "qbuf=[0-9]+ qbuf-free=[0-9]+ argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 "
                   "omem=0 tot-mem=[0-9]+ events=r cmd=client[|]info user=default redir=-1 resp=2 "
                   "lib-name=redis-py lib-ver=\n\r\n"));
}

TEST_F(CommandsClientTest, ListHasTheClientsOfAllWorkersByTheirIds) {
  std::vector<TestClient> clients = ConnectFour();
  const std::string list = Say(clients[2], "CLIENT LIST");
  size_t last = 0;
  for (const char* name : {"name=c0 ", "name=c1 ", "name=c2 ", "name=c3 "}) {
    const size_t at = list.find(name);
    ASSERT_NE(at, std::string::npos) << list;
    EXPECT_GT(at, last);
    last = at;
  }
}

TEST_F(CommandsClientTest, ListMayNameIdsAndTypes) {
  std::vector<TestClient> clients = ConnectFour();
  const std::string id = Field(clients[1], "id");
  const std::string list = Say(clients[0], "CLIENT LIST ID " + id + " 99999");
  EXPECT_THAT(list, HasSubstr("name=c1 "));
  EXPECT_THAT(list, Not(HasSubstr("name=c0 ")));
  EXPECT_EQ(Say(clients[0], "CLIENT LIST TYPE pubsub"), "$0\r\n\r\n");
  EXPECT_THAT(Say(clients[0], "CLIENT LIST TYPE normal"), HasSubstr("name=c3 "));
  EXPECT_EQ(Say(clients[0], "CLIENT LIST TYPE odd"), "-ERR Unknown client type 'odd'\r\n");
  EXPECT_EQ(Say(clients[0], "CLIENT LIST ID x"), "-ERR Invalid client ID\r\n");
  EXPECT_EQ(Say(clients[0], "CLIENT LIST ID"), "-ERR syntax error\r\n");
  EXPECT_EQ(Say(clients[0], "CLIENT LIST odd"), "-ERR syntax error\r\n");
}

TEST_F(CommandsClientTest, KillOfAnAddressIsOkOrNoSuchClient) {
  TestClient victim = Connect();
  TestClient killer = Connect();
  EXPECT_EQ(Say(killer, "CLIENT KILL " + Field(victim, "addr")), "+OK\r\n");
  EXPECT_EQ(victim.ReadToEnd(), "");
  EXPECT_EQ(Say(killer, "CLIENT KILL 127.0.0.1:1"), "-ERR No such client\r\n");
}

TEST_F(CommandsClientTest, KillFitsEveryFilter) {
  std::vector<TestClient> clients = ConnectFour();
  const std::string id = Field(clients[1], "id");
  TestClient& killer = clients[0];
  EXPECT_EQ(Say(killer, "CLIENT KILL ID " + id + " ADDR 127.0.0.1:1"), ":0\r\n");
  EXPECT_EQ(Say(killer, "CLIENT KILL ID " + id + " TYPE replica"), ":0\r\n");
  EXPECT_EQ(Say(killer, "CLIENT KILL ID " + id + " MAXAGE 1000"), ":0\r\n");
  EXPECT_EQ(Say(killer, "CLIENT KILL ID " + id + " USER default TYPE normal"), ":1\r\n");
  EXPECT_EQ(clients[1].ReadToEnd(), "");
  EXPECT_EQ(Say(killer, "CLIENT KILL LADDR " + Field(killer, "laddr")), ":2\r\n");
  EXPECT_EQ(clients[2].ReadToEnd() + clients[3].ReadToEnd(), "");
}

TEST_F(CommandsClientTest, KillSparesWhoAsksUnlessToldOtherwise) {
  std::vector<TestClient> clients = ConnectFour();
  const std::string id = Field(clients[0], "id");
  EXPECT_EQ(Say(clients[0], "CLIENT KILL ID " + id), ":0\r\n");
  clients[0].Send("CLIENT KILL ID " + id + " SKIPME no\r\nPING\r\n");
  EXPECT_EQ(clients[0].ReadToEnd(), ":1\r\n");  // the reply, and nothing behind it
}

TEST_F(CommandsClientTest, KillRefusesWhatRedisRefuses) {
  TestClient client = Connect();
  const auto kill = [&](const std::string& options) {
    return Say(client, "CLIENT KILL " + options);
  };
  EXPECT_EQ(kill("ID 0"), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(kill("ID x"), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(kill("TYPE odd"), "-ERR Unknown client type 'odd'\r\n");
  EXPECT_EQ(kill("USER nobody"), "-ERR No such user 'nobody'\r\n");
  EXPECT_EQ(kill("SKIPME perhaps"), "-ERR syntax error\r\n");
  EXPECT_EQ(kill("MAXAGE x"), "-ERR maxage is not an integer or out of range\r\n");
  EXPECT_EQ(kill("MAXAGE 0"), "-ERR maxage should be greater than 0\r\n");
  EXPECT_EQ(kill("ADDR 1:2 LADDR"), "-ERR syntax error\r\n");
  EXPECT_EQ(kill("ODD x"), "-ERR syntax error\r\n");
  EXPECT_EQ(Say(client, "CLIENT KILL"),
            "-ERR wrong number of arguments for 'client|kill' command\r\n");
}

// ---- PAUSE

TEST_F(CommandsClientTest, PauseHoldsBackEverybodyUntilUnpause) {
  std::vector<TestClient> clients = ConnectFour();
  EXPECT_EQ(Say(clients[0], "CLIENT PAUSE 100000"), "+OK\r\n");
  for (TestClient& client : clients)
    client.Send("PING\r\nSET c:k v\r\nGET c:k\r\n");
  // CLIENT is what may still be asked; its replies show that nothing else was answered.
  TestClient other = Connect();
  EXPECT_THAT(Say(other, "CLIENT LIST"), HasSubstr("flags=b"));
  for (TestClient& client : clients)
    EXPECT_EQ(client.ReadSome(), "");
  EXPECT_EQ(Say(other, "CLIENT UNPAUSE"), "+OK\r\n");
  for (TestClient& client : clients)
    EXPECT_EQ(client.Read(19), "+PONG\r\n+OK\r\n$1\r\nv\r\n");
}

TEST_F(CommandsClientTest, PauseOfWritesLetsReadsRun) {
  TestClient a = Connect();
  TestClient b = Connect();
  Say(a, "SET c:k old");
  EXPECT_EQ(Say(a, "CLIENT PAUSE 100000 WRITE"), "+OK\r\n");
  EXPECT_EQ(Say(b, "GET c:k"), "$3\r\nold\r\n");
  b.Send("SET c:k new\r\nGET c:k\r\n");
  EXPECT_EQ(Say(a, "GET c:k"), "$3\r\nold\r\n");
  EXPECT_EQ(b.ReadSome(), "");
  EXPECT_EQ(Say(a, "CLIENT UNPAUSE"), "+OK\r\n");
  EXPECT_EQ(b.Read(14), "+OK\r\n$3\r\nnew\r\n");
}

TEST_F(CommandsClientTest, PauseEndsByItself) {
  TestClient client = Connect();
  EXPECT_EQ(Say(client, "CLIENT PAUSE 1"), "+OK\r\n");
  EXPECT_EQ(Say(client, "PING"), "+PONG\r\n");
}

TEST_F(CommandsClientTest, StoppingNodeDoesNotWaitForAPause) {
  TestClient client = Connect();
  Say(client, "CLIENT PAUSE 100000");
  client.Send("PING\r\n");
  TestClient other = Connect();
  while (Say(other, "CLIENT LIST").find("flags=b") == std::string::npos) {
  }
  server_.node().Stop();
  EXPECT_EQ(client.ReadToEnd(), "+PONG\r\n");
}

TEST_F(CommandsClientTest, PauseRefusesWhatRedisRefuses) {
  TestClient client = Connect();
  EXPECT_EQ(Say(client, "CLIENT PAUSE x"), "-ERR timeout is not an integer or out of range\r\n");
  EXPECT_EQ(Say(client, "CLIENT PAUSE -1"), "-ERR timeout is negative\r\n");
  EXPECT_EQ(Say(client, "CLIENT PAUSE 1 odd"), "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
  EXPECT_THAT(Say(client, "CLIENT PAUSE"), StartsWith("-ERR wrong number of arguments"));
}

// ---- this connection

TEST_F(CommandsClientTest, FlagsShowWhatWasSwitched) {
  TestClient client = Connect();
  EXPECT_EQ(Say(client, "CLIENT NO-EVICT on"), "+OK\r\n");
  EXPECT_EQ(Say(client, "CLIENT NO-TOUCH on"), "+OK\r\n");
  EXPECT_EQ(Field(client, "flags"), "eT");
  EXPECT_EQ(Say(client, "CLIENT NO-EVICT off"), "+OK\r\n");
  EXPECT_EQ(Say(client, "CLIENT NO-TOUCH off"), "+OK\r\n");
  EXPECT_EQ(Field(client, "flags"), "N");
  EXPECT_EQ(Say(client, "CLIENT NO-EVICT odd"), "-ERR syntax error\r\n");
  EXPECT_EQ(Say(client, "CLIENT NO-TOUCH odd"), "-ERR syntax error\r\n");
}

TEST_F(CommandsClientTest, ReplyOffAnswersNothingUntilItIsOn) {
  TestClient client = Connect();
  client.Send(
      "CLIENT REPLY OFF\r\nSET c:k v\r\nGET b:broken\r\nodd\r\nPING\r\nCLIENT REPLY SKIP\r\n"
      "CLIENT LIST\r\nCLIENT REPLY ON\r\nGET c:k\r\n");
  EXPECT_EQ(client.Read(12), "+OK\r\n$1\r\nv\r\n");
}

TEST_F(CommandsClientTest, ReplySkipLeavesOutTheNextOne) {
  TestClient client = Connect();
  client.Send(
      "CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n"
      "CLIENT REPLY SKIP\r\nGET b:broken\r\nECHO b\r\n"  // pending, and then an error
      "CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nECHO c\r\n"
      "CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nECHO d\r\n");
  EXPECT_EQ(client.Read(33), "$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n+OK\r\n$1\r\nd\r\n");
}

TEST_F(CommandsClientTest, ReplyRefusesWhatItDoesNotKnow) {
  TestClient client = Connect();
  EXPECT_EQ(Say(client, "CLIENT REPLY odd"), "-ERR syntax error\r\n");
}

}  // namespace
}  // namespace cistern::server
