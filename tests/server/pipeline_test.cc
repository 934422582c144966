// Requests are executed and answered in order, however their bytes come.
#include <gtest/gtest.h>

#include "server/client_connection.h"
#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() { server_.Start(); }

  TestServer server_;
};

TEST_F(PipelineTest, RepliesComeInTheOrderOfRequests) {
  TestClient client = server_.Connect();
  std::string requests;
  std::string replies;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = "text " + std::to_string(i);
    requests += Ask({"ECHO", text});
    replies += Bulk(text);
  }
  client.Send(requests);
  EXPECT_EQ(client.Read(replies.size()), replies);
}

TEST_F(PipelineTest, AnySplitOfTheBytesGivesTheSameReplies) {
  const std::string requests = Ask({"SET", "k", "v"}) + Ask({"get", "k"}) + "PING\r\n" +
                               "ECHO \"a b\"\r\n" + Ask({"ECHO", ""}) + Ask({"GET", "n"});
  const std::string replies =
      "+OK\r\n" + Bulk("v") + "+PONG\r\n" + Bulk("a b") + Bulk("") + "$-1\r\n";
  TestClient client = server_.Connect();
  for (size_t split = 1; split < requests.size(); ++split) {
    const uint64_t reads = server_.stats().reads.value();
    client.Send(requests.substr(0, split));
    TestServer::Until([&] { return server_.stats().reads.value() > reads; });
    client.Send(requests.substr(split));
    ASSERT_EQ(client.Read(replies.size()), replies) << split;
  }
}

TEST_F(PipelineTest, BytesOneByOneGiveTheSameReplies) {
  const std::string requests = Ask({"SET", "k", "v"}) + Ask({"GET", "k"}) + "PING\r\n";
  const std::string replies = "+OK\r\n" + Bulk("v") + "+PONG\r\n";
  TestClient client = server_.Connect();
  for (const char byte : requests) {
    const uint64_t reads = server_.stats().reads.value();
    client.Send({&byte, 1});
    TestServer::Until([&] { return server_.stats().reads.value() > reads; });
  }
  EXPECT_EQ(client.Read(replies.size()), replies);
}

TEST_F(PipelineTest, ReadYourOwnWriteWithinOneBatch) {
  TestClient client = server_.Connect();
  client.Send(Ask({"SET", "k", "1"}) + Ask({"GET", "k"}) + Ask({"SET", "k", "2"}) +
              Ask({"GET", "k"}));
  const std::string replies = "+OK\r\n" + Bulk("1") + "+OK\r\n" + Bulk("2");
  EXPECT_EQ(client.Read(replies.size()), replies);
}

TEST_F(PipelineTest, RequestsBehindALargeValueInOneReadAreExecuted) {
  TestClient client = server_.Connect();
  const std::string large(5 << 20, 'x');
  client.Send(Ask({"SET", "k", large}) + "PING\r\n" + Ask({"SET", "l", large}) + Ask({"GET", "k"}));
  const std::string replies = "+OK\r\n+PONG\r\n+OK\r\n" + Bulk(large);
  EXPECT_TRUE(client.Read(replies.size()) == replies);
}

TEST_F(PipelineTest, BuffersOfALargeValueAreGivenBack) {
  TestClient client = server_.Connect();
  client.Send("PING\r\n");
  EXPECT_EQ(client.Read(7), "+PONG\r\n");
  const uint64_t before = server_.charged();
  EXPECT_GT(before, 0U);
  const std::string request = Ask({"SET", "k", std::string(5 << 20, 'x')});
  client.Send(request.substr(0, request.size() - 1));
  TestServer::Until([&] { return server_.stats().input_bytes.value() >= request.size(); });
  server_.On([] {});
  EXPECT_GT(server_.charged(), before + (5 << 20));
  client.Send("\n");
  EXPECT_EQ(client.Read(5), "+OK\r\n");
  server_.On([] {});
  EXPECT_LT(server_.charged(), before + 1024);
}

TEST_F(PipelineTest, AnnouncedLengthAllocatesNothing) {
  TestClient client = server_.Connect();
  client.Send("*2\r\n$4\r\nECHO\r\n$500000000\r\nabc");
  TestServer::Until([&] { return server_.stats().reads.value() == 1; });
  client.Send("def");
  TestServer::Until([&] { return server_.stats().reads.value() == 2; });
  server_.On([] {});
  EXPECT_LT(server_.charged(), 2 * InputBuffer::kFirstRoom + 16384);
}

TEST_F(PipelineTest, LargeValuesArriveWholeWhenPinned) {
  TestClient client = server_.Connect();
  client.Send(Ask({"ECHO", "a"}) + Ask({"PINNED", "4097"}) + Ask({"ECHO", "b"}) +
              Ask({"PINNED", "3000000"}) + Ask({"ECHO", "c"}));
  const std::string replies = Bulk("a") + Bulk(std::string(4097, 'p')) + Bulk("b") +
                              Bulk(std::string(3000000, 'p')) + Bulk("c");
  EXPECT_TRUE(client.Read(replies.size()) == replies);
}

TEST_F(PipelineTest, ManyClientsGetTheirOwnReplies) {
  std::vector<TestClient> clients;
  for (int i = 0; i < 50; ++i)
    clients.push_back(server_.Connect());
  for (int round = 0; round < 20; ++round) {
    for (size_t i = 0; i < clients.size(); ++i)
      clients[i].Send(Ask({"ECHO", "client " + std::to_string(i)}));
    for (size_t i = 0; i < clients.size(); ++i) {
      const std::string reply = Bulk("client " + std::to_string(i));
      ASSERT_EQ(clients[i].Read(reply.size()), reply);
    }
  }
}

TEST_F(PipelineTest, QuitClosesAfterItsReplyAndDropsWhatIsBehind) {
  server_.On([] { State().logs = true; });
  TestClient client = server_.Connect();
  client.Send("PING\r\nQUIT\r\nPING\r\n");
  EXPECT_EQ(client.ReadToEnd(), "+PONG\r\n+OK\r\n");
  server_.On([] { EXPECT_EQ(State().log.size(), 1U); });
}

TEST_F(PipelineTest, WhatWasSentBeforeTheEndIsAnswered) {
  TestClient client = server_.Connect();
  std::string requests;
  for (int i = 0; i < 5000; ++i)
    requests += "PING\r\n";
  client.Send(requests);
  client.EndSending();
  EXPECT_EQ(client.ReadToEnd().size(), size_t{5000} * 7);
}

// ---- what is refused

TEST_F(PipelineTest, UnknownCommandIsNamedWithItsArguments) {
  TestClient client = server_.Connect();
  client.Send(Ask({"nope", "a", "b\r\n"}) + "PING\r\n");
  const std::string replies =
      "-ERR unknown command 'nope', with args beginning with: 'a' 'b  ' \r\n+PONG\r\n";
  EXPECT_EQ(client.Read(replies.size()), replies);
}

TEST_F(PipelineTest, WrongNumberOfArgumentsNamesTheCommand) {
  TestClient client = server_.Connect();
  client.Send(Ask({"GET"}) + Ask({"GeT", "a", "b"}));
  const std::string reply = "-ERR wrong number of arguments for 'get' command\r\n";
  EXPECT_EQ(client.Read(2 * reply.size()), reply + reply);
}

TEST_F(PipelineTest, KeyOf64KiBIsTakenAndALongerOneRefused) {
  TestClient client = server_.Connect();
  const std::string key(size_t{64} << 10, 'k');
  client.Send(Ask({"SET", key, "v"}) + Ask({"SET", key + "k", "v"}));
  const std::string replies = "+OK\r\n-ERR key is longer than 65536 bytes\r\n";
  EXPECT_EQ(client.Read(replies.size()), replies);
}

TEST_F(PipelineTest, ProtocolErrorIsToldBehindEarlierRepliesAndCloses) {
  TestClient client = server_.Connect();
  client.Send("PING\r\n*1\r\n!oops\r\n");
  EXPECT_EQ(client.ReadToEnd(), "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_EQ(server_.stats().protocol_errors.value(), 1U);
}

TEST_F(PipelineTest, ProtocolErrorWaitsForPendingReplies) {
  TestClient client = server_.Connect();
  client.Send(Ask({"SLOW", "a"}) + "*1\r\n!oops\r\n");
  TestServer::Until([&] { return server_.stats().protocol_errors.value() == 1; });
  server_.Finish("a", "1");
  EXPECT_EQ(client.ReadToEnd(), Bulk("1") + "-ERR Protocol error: expected '$', got '!'\r\n");
}

TEST_F(PipelineTest, HttpClosesWithoutAReplyAndExecutesNothingBehind) {
  for (const std::string line : {"POST / HTTP/1.1\r\n", "Host: localhost\r\n"}) {
    server_.On([] { State().logs = true; });
    TestClient client = server_.Connect();
    client.Send(line + "PING\r\n");
    EXPECT_EQ(client.ReadToEnd(), "");
    server_.On([] { EXPECT_TRUE(State().log.empty()); });
  }
}

}  // namespace
}  // namespace cistern::server
