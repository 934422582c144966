// What one client may cost the others: output, turns, time, and what it may before it says who it
// is.
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <map>

#include "server/client_connection.h"
#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

std::string Repeat(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i)
    all += text;
  return all;
}

// Keeps a loop from looking at anything: what is sent meanwhile is all there in its next turn.
class HeldLoop {
 public:
  HeldLoop(net::Loop& loop, const std::function<void()>& first) {
    loop.Post([&first, held = &held_, go = go_.get_future().share()] {
      first();
      held->set_value();
      go.wait();
    });
    held_.get_future().wait();
  }
  void LetGo() { go_.set_value(); }

 private:
  std::promise<void> held_;
  std::promise<void> go_;
};

class ClientLimitsTest : public ::testing::Test {
 protected:
  TestServer server_;
};

// ---- output

TEST_F(ClientLimitsTest, ReadingPausesWhileRepliesAreNotReadAndGoesOnAfterwards) {
  server_.Start();
  TestClient client = server_.Connect();
  constexpr size_t kRequests = 60'000;
  const std::string reply = Bulk(std::string(1000, 'b'));
  const std::string requests = Repeat(Ask({"BIG", "1000"}), kRequests);
  size_t sent = 0;
  size_t received = 0;
  uint64_t most_charged = 0;
  // Sends whenever the server reads, reads only when it does not: it has paused then.
  while (received < kRequests * reply.size()) {
    const size_t more = client.SendSome(std::string_view(requests).substr(sent));
    sent += more;
    most_charged = std::max(most_charged, server_.charged());
    if (more == 0) {
      const std::string replies = client.Read(reply.size());
      ASSERT_EQ(replies, reply);
      received += replies.size();
    }
  }
  EXPECT_EQ(server_.stats().commands.value(), kRequests);
  EXPECT_LT(most_charged, 3 * ClientConnection::kHighWater);
  EXPECT_EQ(server_.stats().closed_output_limit.value(), 0U);
}

TEST_F(ClientLimitsTest, ClientWithMoreUnreadRepliesThanTheLimitIsClosed) {
  server_.limits().output_limit = 1 << 20;
  server_.Start();
  TestClient client = server_.Connect();
  client.Send(Repeat(Ask({"SLOW", "k"}), 100));
  server_.UntilExecuted(100);
  server_.On([] {
    for (const auto& [key, pending] : State().pending) {
      pending->reply().Bulk(*cache::MakeBlob(std::string(100'000, 'v')));
      pending->Finish();
    }
  });
  TestServer::Until([&] { return server_.worker().clients() == 0; });
  EXPECT_EQ(server_.stats().closed_output_limit.value(), 1U);
}

TEST_F(ClientLimitsTest, OneReplyMayBeLargerThanTheLimit) {
  server_.limits().output_limit = 64 << 10;
  server_.Start();
  TestClient client = server_.Connect();
  client.Send(Repeat(Ask({"PINNED", "3000000"}), 5) + "PING\r\n");
  const std::string replies = Repeat(Bulk(std::string(3'000'000, 'p')), 5) + "+PONG\r\n";
  EXPECT_TRUE(client.Read(replies.size()) == replies);
}

// The parser has seen the incomplete request behind those that had to be held back.
TEST_F(ClientLimitsTest, IncompleteRequestBehindHeldBackOnesIsNotLost) {
  server_.limits().output_limit = 64 << 10;
  server_.Start();
  TestClient client = server_.Connect();
  const std::string last = Ask({"ECHO", "the end"});
  for (size_t split = 1; split < last.size(); split += 3) {
    client.Send(Repeat(Ask({"PINNED", "300000"}), 5) + last.substr(0, split));
    const std::string replies = Repeat(Bulk(std::string(300'000, 'p')), 5);
    ASSERT_TRUE(client.Read(replies.size()) == replies);
    client.Send(last.substr(split));
    ASSERT_EQ(client.Read(13), Bulk("the end"));
  }
}

TEST_F(ClientLimitsTest, ClientThatTakesNothingForAWhileIsClosed) {
  server_.Start();
  TestClient client = server_.Connect();
  client.Send(Ask({"PINNED", "30000000"}));
  server_.UntilExecuted(1);
  // Twice, for the first look only learns that something was taken since the last one.
  TestServer::Until([&] {
    server_.clock().Advance(server_.limits().stall_timeout);
    return server_.worker().clients() == 0;
  });
  EXPECT_EQ(server_.stats().closed_output_limit.value(), 1U);
}

TEST_F(ClientLimitsTest, ManyPendingRequestsPauseReadingToo) {
  server_.Start();
  TestClient client = server_.Connect();
  constexpr size_t kRequests = 20'000;
  const std::string requests = Repeat(Ask({"SLOW", "k"}), kRequests);
  size_t sent = 0;
  size_t finished = 0;
  size_t most = 0;
  while (finished < kRequests) {
    sent += client.SendSome(std::string_view(requests).substr(sent));
    server_.On([&] {
      most = std::max(most, State().pending.size());
      finished += State().pending.size();
      for (const auto& [key, pending] : State().pending) {
        pending->reply().Bulk("v");
        pending->Finish();
      }
      State().pending.clear();
    });
    client.ReadSome();
  }
  EXPECT_LT(most, 4096U);
}

// ---- turns

TEST_F(ClientLimitsTest, OneClientExecutesABoundedNumberOfCommandsATurn) {
  server_.Start();
  server_.On([] { State().logs = true; });
  TestClient client = server_.Connect();
  constexpr size_t kRequests = 100'000;
  std::thread sender([&] { client.Send(Repeat("PING\r\n", kRequests)); });
  EXPECT_EQ(client.Read(7 * kRequests).size(), 7 * kRequests);
  sender.join();
  std::map<uint64_t, size_t> by_turn;
  server_.On([&] {
    for (const TestState::Executed& one : State().log)
      ++by_turn[one.turn];
  });
  for (const auto& [turn, commands] : by_turn)
    EXPECT_LE(commands, ClientConnection::kTurnCommands);
}

TEST_F(ClientLimitsTest, LongPipelineDoesNotHoldUpAnotherClient) {
  server_.Start();
  TestClient greedy = server_.Connect();
  const uint64_t greedy_id = server_.last_client();
  TestClient other = server_.Connect();
  // Both have sent all of it before the loop looks at either.
  HeldLoop loop(server_.loop(), [&] { State().logs = true; });
  const size_t requests = greedy.SendSome(Repeat("PING\r\n", 10'000)) / 6;
  ASSERT_GT(requests, 4 * ClientConnection::kTurnCommands);
  other.Send("PING\r\n");
  loop.LetGo();
  EXPECT_EQ(other.Read(7), "+PONG\r\n");
  EXPECT_EQ(greedy.Read(7 * requests).size(), 7 * requests);
  server_.On([&] {
    size_t before = 0;
    while (before < State().log.size() && State().log[before].client == greedy_id)
      ++before;
    EXPECT_LE(before, 2 * ClientConnection::kTurnCommands);
  });
}

// Each would get a turn's worth of its own; all together get hardly more than one busy turn.
TEST_F(ClientLimitsTest, ManyLongPipelinesDoNotHoldUpAnotherClient) {
  constexpr size_t kGreedy = 40;
  server_.Start();
  std::vector<TestClient> greedy;
  for (size_t i = 0; i < kGreedy; ++i)
    greedy.push_back(server_.Connect());
  TestClient other = server_.Connect();
  const uint64_t other_id = server_.last_client();
  server_.On([] {});  // they are all adopted
  HeldLoop loop(server_.loop(), [&] { State().logs = true; });
  const std::string requests = Repeat("PING\r\n", 5'000);
  std::vector<size_t> sent;
  for (TestClient& client : greedy)
    sent.push_back(client.SendSome(requests) / 6);
  other.Send("PING\r\n");
  loop.LetGo();
  EXPECT_EQ(other.Read(7), "+PONG\r\n");
  for (size_t i = 0; i < kGreedy; ++i) {
    ASSERT_GT(sent[i], 2 * ClientConnection::kTurnCommands);
    EXPECT_EQ(greedy[i].Read(7 * sent[i]).size(), 7 * sent[i]);
  }
  server_.On([&] {
    std::map<uint64_t, size_t> by_turn;
    size_t before = 0;
    bool found = false;
    for (const TestState::Executed& one : State().log) {
      ++by_turn[one.turn];
      found |= one.client == other_id;
      if (!found) ++before;
    }
    constexpr size_t kMost = Worker::kBusyTurn + ClientConnection::kTurnCommands + 64 * kGreedy;
    EXPECT_LE(before, kMost);
    for (const auto& [turn, commands] : by_turn)
      EXPECT_LE(commands, kMost);
  });
}

TEST_F(ClientLimitsTest, OneClientIsAnsweredABoundedNumberOfBytesATurn) {
  server_.Start();
  server_.On([] { State().logs = true; });
  TestClient client = server_.Connect();
  constexpr size_t kBytes = 100'000;
  client.Send(Repeat(Ask({"BIG", std::to_string(kBytes)}), 100));
  const size_t replies = 100 * Bulk(std::string(kBytes, 'b')).size();
  EXPECT_EQ(client.Read(replies).size(), replies);
  std::map<uint64_t, size_t> by_turn;
  server_.On([&] {
    for (const TestState::Executed& one : State().log)
      by_turn[one.turn] += kBytes;
  });
  for (const auto& [turn, bytes] : by_turn)
    EXPECT_LT(bytes, ClientConnection::kTurnOutput + kBytes);
}

// ---- time

TEST_F(ClientLimitsTest, IdleClientIsClosedAndABusyOneIsNot) {
  server_.limits().idle_timeout = std::chrono::seconds(30);
  server_.Start();
  TestClient idle = server_.Connect();
  TestClient pending = server_.Connect();
  pending.Send(Ask({"SLOW", "k"}));
  server_.UntilExecuted(1);
  server_.clock().Advance(std::chrono::seconds(31));
  EXPECT_EQ(idle.ReadToEnd(), "");
  TestServer::Until([&] { return server_.worker().clients() == 1; });
  EXPECT_EQ(server_.stats().closed_idle.value(), 1U);
  server_.Finish("k", "v");
  EXPECT_EQ(pending.Read(7), Bulk("v"));
}

// ---- authentication

class AuthenticationTest : public ClientLimitsTest {
 protected:
  AuthenticationTest() {
    server_.limits().password = "secret";
    server_.Start();
    client_ = std::make_unique<TestClient>(server_.Connect());
  }

  std::unique_ptr<TestClient> client_;
};

const std::string kNoAuth = "-NOAUTH Authentication required.\r\n";

TEST_F(AuthenticationTest, OnlyMarkedCommandsRunBeforeIt) {
  client_->Send("PING\r\n" + Ask({"GET", "k"}) + Ask({"HELLO3"}));
  const std::string replies = kNoAuth + kNoAuth + "%0\r\n";
  EXPECT_EQ(client_->Read(replies.size()), replies);
}

TEST_F(AuthenticationTest, UnknownCommandsAndWrongArityAreToldFirstAsInRedis) {
  client_->Send("nope\r\nGET\r\n");
  const std::string replies =
      "-ERR unknown command 'nope', with args beginning with: \r\n"
      "-ERR wrong number of arguments for 'get' command\r\n";
  EXPECT_EQ(client_->Read(replies.size()), replies);
}

TEST_F(AuthenticationTest, PipelineBehindAuthRuns) {
  const std::string large(20'000, 'x');
  client_->Send(Ask({"AUTH", "secret"}) + "PING\r\n" + Ask({"ECHO", large}));
  const std::string replies = "+OK\r\n+PONG\r\n" + Bulk(large);
  EXPECT_EQ(client_->Read(replies.size()), replies);
}

TEST_F(AuthenticationTest, WrongPasswordOpensNothing) {
  client_->Send(Ask({"AUTH", "wrong"}) + "PING\r\n");
  const std::string replies = "+NO\r\n" + kNoAuth;
  EXPECT_EQ(client_->Read(replies.size()), replies);
}

TEST_F(AuthenticationTest, LargeRequestBeforeItIsAProtocolError) {
  client_->Send("*2\r\n$4\r\nECHO\r\n$16385\r\n");
  EXPECT_EQ(client_->ReadToEnd(), "-ERR Protocol error: unauthenticated bulk length\r\n");
}

TEST_F(AuthenticationTest, ManyElementsBeforeItAreAProtocolError) {
  client_->Send("*11\r\n");
  EXPECT_EQ(client_->ReadToEnd(), "-ERR Protocol error: unauthenticated multibulk length\r\n");
}

TEST_F(AuthenticationTest, UnreadRepliesBeforeItCloseTheConnection) {
  const std::string requests = Repeat("PING\r\n", 10'000);
  size_t sent = 0;
  // Never reads. The kernel's buffers hold some replies.
  TestServer::Until([&] {
    sent += client_->SendSome(std::string_view(requests).substr(sent % requests.size()));
    return server_.worker().clients() == 0;
  });
  EXPECT_EQ(server_.stats().closed_output_limit.value(), 1U);
}

}  // namespace
}  // namespace cistern::server
