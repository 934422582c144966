#include "server/turn_inputs.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/client_connection.h"
#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

class TurnInputsTest : public ::testing::Test {
 protected:
  TurnInputsTest() {
    server_.Start();
    server_.On([] { State().logs = true; });
  }

  // All of it is there when the loop looks at its sockets next.
  void SendTogether(TestClient& a, std::string_view from_a, TestClient& b,
                    std::string_view from_b) {
    server_.On([&] {
      a.Send(from_a);
      b.Send(from_b);
    });
  }

  TestServer server_;
};

TEST_F(TurnInputsTest, ClientsThatAreReadyTogetherAreAnsweredInOneTurn) {
  TestClient a = server_.Connect();
  TestClient b = server_.Connect();
  SendTogether(a, Ask({"SET", "k", "v"}), b, Ask({"GET", "k"}));
  EXPECT_EQ(a.ReadReply(), "+OK\r\n");
  EXPECT_EQ(b.ReadReply(), Bulk("v"));
  server_.On([] {
    ASSERT_EQ(State().log.size(), 2U);
    EXPECT_EQ(State().log[0].turn, State().log[1].turn);
  });
}

TEST_F(TurnInputsTest, NothingIsExecutedOfAClientThatAnotherOneHasClosedMeanwhile) {
  TestClient a = server_.Connect();
  TestClient b = server_.Connect();
  SendTogether(a, Ask({"CLOSEOTHERS"}), b, Ask({"SET", "k", "v"}));
  EXPECT_EQ(a.ReadReply(), "+OK\r\n");
  EXPECT_EQ(b.ReadToEnd(), "");
  server_.On([] { EXPECT_TRUE(State().values.empty()); });
}

TEST_F(TurnInputsTest, WhoIsPausedByAnotherClientMeanwhileRunsAfterwards) {
  TestClient a = server_.Connect();
  TestClient b = server_.Connect();
  SendTogether(a, Ask({"PAUSE"}), b, Ask({"SET", "k", "v"}) + Ask({"GET", "k"}));
  EXPECT_EQ(a.ReadReply(), "+OK\r\n");
  server_.On([&] {
    EXPECT_TRUE(State().values.empty());
    server_.worker().Unpause();
  });
  EXPECT_EQ(b.ReadReply(), "+OK\r\n");
  EXPECT_EQ(b.ReadReply(), Bulk("v"));
}

TEST_F(TurnInputsTest, WhoIsOwedTooMuchMeanwhileIsAnsweredInOrderAfterwards) {
  TestClient a = server_.Connect();
  TestClient b = server_.Connect();
  const std::string large(2 * ClientConnection::kHighWater, 'x');
  server_.On([&] { State().values["k"] = large; });
  b.Send(Ask({"GETLATER", "k"}));
  server_.Until([&] {
    size_t jobs = 0;
    server_.On([&] { jobs = State().jobs.size(); });
    return jobs == 1;
  });
  SendTogether(a, Ask({"RUNJOBS"}), b, Ask({"ECHO", "one"}) + Ask({"ECHO", "two"}));
  EXPECT_EQ(a.ReadReply(), "+OK\r\n");
  EXPECT_EQ(b.ReadReply(), Bulk(large));
  EXPECT_EQ(b.ReadReply(), Bulk("one"));
  EXPECT_EQ(b.ReadReply(), Bulk("two"));
}

TEST_F(TurnInputsTest, MoreThanThereIsRoomForIsTakenAtOnce) {
  const std::string text(4000, 'x');
  std::vector<TestClient> clients;
  for (int i = 0; i < 100; ++i)
    clients.push_back(server_.Connect());
  server_.On([&] {
    for (TestClient& client : clients)
      client.Send(Ask({"ECHO", text}));
  });
  for (TestClient& client : clients)
    EXPECT_EQ(client.ReadReply(), Bulk(text));
}

TEST_F(TurnInputsTest, ARequestInTwoPiecesIsWhole) {
  TestClient client = server_.Connect();
  const std::string request = Ask({"SET", "k", std::string(5000, 'v')});
  client.Send(std::string_view(request).substr(0, 100));
  server_.Until([&] { return server_.stats().reads.value() == 1; });
  client.Send(std::string_view(request).substr(100));
  EXPECT_EQ(client.ReadReply(), "+OK\r\n");
}

TEST_F(TurnInputsTest, WhoEndsBehindARequestIsAnswered) {
  TestClient client = server_.Connect();
  server_.On([&] {
    client.Send(Ask({"ECHO", "last"}));
    client.EndSending();
  });
  EXPECT_EQ(client.ReadToEnd(), Bulk("last"));
}

}  // namespace
}  // namespace cistern::server
