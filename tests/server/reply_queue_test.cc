#include "server/reply_queue.h"

#include <gtest/gtest.h>

namespace cistern::server {
namespace {

class ReplyQueueTest : public ::testing::Test, private PendingReply::Owner {
 protected:
  PendingReplyPtr Push() {
    PendingReply::Owner& owner = *this;
    auto reply = std::make_shared<PendingReply>(owner, resp::Protocol::kResp2);
    queue_.Push(reply);
    return reply;
  }
  void Immediate(std::string_view text) {
    queue_.tail().text() += text;
    queue_.TailGrew(text.size());
  }
  static void Finish(const PendingReplyPtr& reply, std::string_view text) {
    reply->reply().output() += text;
    reply->Finish();
  }
  std::string Finished() {
    Output to;
    queue_.MoveFinished(to);
    return to.text();
  }

  ReplyQueue queue_;

 private:
  void OnFinished(PendingReply& reply) override { queue_.Finished(reply); }
};

TEST_F(ReplyQueueTest, NothingLeavesBeforeTheFirstIsFinished) {
  const auto a = Push();
  const auto b = Push();
  Finish(b, "b");
  EXPECT_EQ(Finished(), "");
  Finish(a, "a");
  EXPECT_EQ(Finished(), "ab");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(ReplyQueueTest, ImmediateRepliesKeepTheirPlace) {
  const auto a = Push();
  Immediate("1");
  Immediate("2");
  const auto b = Push();
  Immediate("3");
  Finish(a, "a");
  EXPECT_EQ(Finished(), "a12");
  Finish(b, "b");
  EXPECT_EQ(Finished(), "b3");
}

TEST_F(ReplyQueueTest, CountsWhatIsHeld) {
  const auto a = Push();
  const auto b = Push();
  Immediate("123");
  EXPECT_EQ(queue_.reply_bytes(), 3U);
  Finish(b, "bb");
  EXPECT_EQ(queue_.reply_bytes(), 5U);
  Finish(a, "a");
  Finished();
  EXPECT_EQ(queue_.reply_bytes(), 0U);
}

TEST_F(ReplyQueueTest, FinishCountsOnce) {
  const auto a = Push();
  Finish(a, "a");
  a->Finish();
  EXPECT_EQ(queue_.reply_bytes(), 1U);
  EXPECT_EQ(Finished(), "a");
}

TEST_F(ReplyQueueTest, AbandonRunsEachActionOnce) {
  int runs = 0;
  const auto a = Push();
  a->OnAbandon([&] { ++runs; });
  queue_.Abandon();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(a->abandoned());
  queue_.Abandon();
  Finish(a, "late");
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(queue_.reply_bytes(), 0U);
}

TEST_F(ReplyQueueTest, FinishedRepliesAreNotAbandoned) {
  int runs = 0;
  const auto waiting = Push();
  const auto a = Push();
  a->OnAbandon([&] { ++runs; });
  Finish(a, "a");
  queue_.Abandon();
  EXPECT_EQ(runs, 0);
}

TEST_F(ReplyQueueTest, ActionRunsAtOnceWhenTheClientIsGoneAlready) {
  int runs = 0;
  const auto a = Push();
  queue_.Abandon();
  a->OnAbandon([&] { ++runs; });
  EXPECT_EQ(runs, 1);
}

TEST_F(ReplyQueueTest, FinishLetsGoOfWhatTheActionHolds) {
  const auto held = std::make_shared<int>(1);
  const auto a = Push();
  a->OnAbandon([held] {});
  EXPECT_EQ(held.use_count(), 2);
  Finish(a, "a");
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(ReplyQueueTest, PinnedValuesMoveBehindTheirHeaders) {
  const auto a = Push();
  Immediate("x");
  const std::string value(Output::kPinAbove + 1, 'v');
  a->reply().Bulk(*cache::MakeBlob(value));
  a->Finish();
  Output to;
  to.text() = "before";
  queue_.MoveFinished(to);
  EXPECT_EQ(to.pinned_bytes(), value.size());
  EXPECT_EQ(to.text(), "before$4097\r\n\r\nx");
}

}  // namespace
}  // namespace cistern::server
