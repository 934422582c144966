// Replies that come later: their place, the order of requests that share a key, and their end.
#include <gtest/gtest.h>

#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

using Keys = std::vector<std::string>;

class PendingTest : public ::testing::Test {
 protected:
  PendingTest() {
    server_.Start();
    client_ = std::make_unique<TestClient>(server_.Connect());
  }
  // ... and waits until the server has executed them, or made them wait.
  void Send(std::initializer_list<std::initializer_list<std::string_view>> requests) {
    const uint64_t before = server_.stats().commands.value();
    std::string bytes;
    for (const auto& request : requests)
      bytes += Ask(request);
    client_->Send(bytes);
    server_.UntilExecuted(before + requests.size());
  }
  void Expect(const std::string& replies) { EXPECT_EQ(client_->Read(replies.size()), replies); }

  TestServer server_;
  std::unique_ptr<TestClient> client_;
};

TEST_F(PendingTest, ImmediateReplyBehindAPendingOneWaitsForIt) {
  Send({{"SLOW", "a"}, {"ECHO", "x"}});
  server_.On([] {});
  EXPECT_EQ(client_->ReadSome(), "");
  server_.Finish("a", "1");
  Expect(Bulk("1") + Bulk("x"));
}

TEST_F(PendingTest, ReplyBeforeAPendingOneLeavesAtOnce) {
  Send({{"ECHO", "x"}, {"SLOW", "a"}});
  Expect(Bulk("x"));
  server_.Finish("a", "1");
  Expect(Bulk("1"));
}

TEST_F(PendingTest, PendingRepliesKeepTheirOrderHoweverTheyFinish) {
  Send({{"SLOW", "a"}, {"ECHO", "1"}, {"SLOW", "b"}, {"SLOW", "c"}, {"ECHO", "2"}});
  server_.Finish("c", "c");
  server_.Finish("b", "b");
  EXPECT_EQ(client_->ReadSome(), "");
  server_.Finish("a", "a");
  Expect(Bulk("a") + Bulk("1") + Bulk("b") + Bulk("c") + Bulk("2"));
}

TEST_F(PendingTest, HeadMayBeFinishedWhileTheRestIsPending) {
  Send({{"SLOW", "a"}, {"SLOW", "b"}});
  server_.Finish("a", "a");
  Expect(Bulk("a"));
  server_.Finish("b", "b");
  Expect(Bulk("b"));
}

TEST_F(PendingTest, ReplyFinishedInsideItsHandlerIsInPlace) {
  Send({{"ECHO", "1"}, {"INSTANT", "i"}, {"ECHO", "2"}, {"SLOW", "a"}, {"INSTANT", "j"}});
  Expect(Bulk("1") + Bulk("i") + Bulk("2"));
  server_.Finish("a", "a");
  Expect(Bulk("a") + Bulk("j"));
}

TEST_F(PendingTest, LargePendingValueIsPinnedAndInPlace) {
  Send({{"SLOW", "a"}, {"ECHO", "x"}});
  server_.On([] {
    const PendingReplyPtr pending = State().pending.begin()->second;
    pending->reply().Bulk(*cache::MakeBlob(std::string(100000, 'v')));
    pending->Finish();
  });
  Expect(Bulk(std::string(100000, 'v')) + Bulk("x"));
}

TEST_F(PendingTest, OtherConnectionsAreNotHeldUp) {
  Send({{"SLOWSET", "a"}});
  TestClient other = server_.Connect();
  other.Send(Ask({"GET", "a"}));
  EXPECT_EQ(other.Read(5), "$-1\r\n");
}

TEST_F(PendingTest, ReadsOfOneKeyOverlap) {
  Send({{"SLOW", "k"}, {"SLOW", "k"}});
  EXPECT_EQ(server_.started(), (Keys{"k", "k"}));
}

TEST_F(PendingTest, ReadWaitsForAWriteOfItsKey) {
  server_.On([] { State().logs = true; });
  Send({{"SLOWSET", "k"}, {"GET", "k"}, {"GET", "other"}});
  server_.On([] {
    ASSERT_EQ(State().log.size(), 2U);
    EXPECT_EQ(State().log[1].text, "get other");
    State().values["k"] = "new";
  });
  server_.Finish("k", "done");
  Expect(Bulk("done") + Bulk("new") + "$-1\r\n");
}

TEST_F(PendingTest, WriteWaitsForAReadOfItsKey) {
  Send({{"SLOW", "k"}, {"SET", "k", "v"}});
  server_.On([] { EXPECT_TRUE(State().values.empty()); });
  server_.Finish("k", "old");
  Expect(Bulk("old") + "+OK\r\n");
  server_.On([] { EXPECT_EQ(State().values["k"], "v"); });
}

TEST_F(PendingTest, WritesOfOneKeyRunOneAfterTheOther) {
  Send({{"SLOWSET", "k"}, {"SLOWSET", "k"}, {"SLOWSET", "k"}});
  EXPECT_EQ(server_.started().size(), 1U);
  server_.Finish("k", "1");
  Expect(Bulk("1"));
  EXPECT_EQ(server_.started().size(), 2U);
  server_.Finish("k", "2");
  Expect(Bulk("2"));
  server_.Finish("k", "3");
  Expect(Bulk("3"));
}

TEST_F(PendingTest, BarrierWaitsForAllAndHoldsAllBack) {
  Send({{"SLOW", "a"}, {"SLOWSET", "b"}, {"SLOWALL", "all"}, {"SLOW", "c"}, {"PING"}});
  EXPECT_EQ(server_.started(), (Keys{"a", "b"}));
  server_.Finish("a", "a");
  server_.Finish("b", "b");
  Expect(Bulk("a") + Bulk("b"));
  EXPECT_EQ(server_.started(), (Keys{"a", "b", "all"}));
  server_.Finish("all", "all");
  Expect(Bulk("all"));
  EXPECT_EQ(server_.started(), (Keys{"a", "b", "all", "c"}));
  server_.Finish("c", "c");
  Expect(Bulk("c") + "+PONG\r\n");
}

TEST_F(PendingTest, WaitingRequestKeepsItsArgumentsThoughTheBufferIsUsedAgain) {
  const std::string value(3000, 'v');
  Send({{"SLOW", "k"}, {"SET", "k", value}});
  TestClient other = server_.Connect();
  other.Send(Ask({"ECHO", std::string(20000, '!')}));
  other.Read(20000);
  server_.Finish("k", "1");
  Expect(Bulk("1") + "+OK\r\n");
  server_.On([&] { EXPECT_EQ(State().values["k"], value); });
}

TEST_F(PendingTest, WaitingRequestAnswersInTheProtocolThatItWasAskedIn) {
  Send({{"SLOWSET", "k"}, {"ABSENT", "k"}, {"HELLO3"}, {"ABSENT", "k"}});
  server_.Finish("k", "1");
  Expect(Bulk("1") + "$-1\r\n" + "%0\r\n" + "_\r\n");
}

TEST_F(PendingTest, LongChainOfWaitingRequestsRunsInOrder) {
  std::string requests = Ask({"SLOWSET", "k"});
  std::string replies = Bulk("1");
  for (int i = 0; i < 1000; ++i) {
    requests += Ask({"SET", "k", std::to_string(i)}) + Ask({"GET", "k"});
    replies += "+OK\r\n" + Bulk(std::to_string(i));
  }
  client_->Send(requests);
  TestServer::Until([&] { return !server_.started().empty(); });
  server_.Finish("k", "1");
  Expect(replies);
}

TEST_F(PendingTest, DisconnectCancelsWhatIsPending) {
  Send({{"SLOW", "a"}, {"SLOWSET", "b"}, {"SLOW", "b"}});
  client_->Close();
  TestServer::Until([&] { return server_.worker().clients() == 0; });
  EXPECT_EQ(server_.abandoned(), (Keys{"a", "b"}));
  server_.Finish("a", "late");
  server_.Finish("b", "late");
  EXPECT_EQ(server_.started(), (Keys{"a", "b"}));
}

TEST_F(PendingTest, DisconnectAfterAllWasAnsweredCancelsNothing) {
  Send({{"SLOW", "a"}});
  server_.Finish("a", "1");
  Expect(Bulk("1"));
  client_->Close();
  TestServer::Until([&] { return server_.worker().clients() == 0; });
  EXPECT_TRUE(server_.abandoned().empty());
}

TEST_F(PendingTest, ClosingTheWorkerCancelsWhatIsPending) {
  Send({{"SLOW", "a"}});
  server_.worker().CloseAll();
  EXPECT_EQ(client_->ReadToEnd(), "");
  EXPECT_EQ(server_.abandoned(), (Keys{"a"}));
}

TEST_F(PendingTest, QuitWaitsForRepliesBeforeIt) {
  Send({{"SLOW", "a"}, {"QUIT"}});
  server_.Finish("a", "1");
  EXPECT_EQ(client_->ReadToEnd(), Bulk("1") + "+OK\r\n");
}

TEST_F(PendingTest, DrainAnswersWhatIsPendingThenCloses) {
  Send({{"SLOW", "a"}});
  TestClient idle = server_.Connect();
  std::atomic<bool> done{false};
  server_.worker().Drain(std::chrono::hours(1), [&] { done = true; });
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_FALSE(done.load());
  server_.Finish("a", "1");
  EXPECT_EQ(client_->ReadToEnd(), Bulk("1"));
  TestServer::Until([&] { return done.load(); });
  EXPECT_EQ(server_.Connect().ReadToEnd(), "");
}

TEST_F(PendingTest, DrainEndsAtItsLimit) {
  Send({{"SLOW", "a"}});
  std::atomic<bool> done{false};
  server_.worker().Drain(std::chrono::milliseconds(1), [&] { done = true; });
  EXPECT_EQ(client_->ReadToEnd(), "");
  TestServer::Until([&] { return done.load(); });
  EXPECT_EQ(server_.abandoned(), (Keys{"a"}));
}

}  // namespace
}  // namespace cistern::server
