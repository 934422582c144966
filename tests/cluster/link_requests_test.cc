#include "cluster/link_requests.h"

#include <gtest/gtest.h>

#include "cluster/frame_codec.h"
#include "net/loop.h"
#include "tests/cluster/fakes.h"

namespace cistern::cluster {
namespace {

using cache::ErrorCode;

class LinkRequestsTest : public testing::Test, private LinkRequests::Connection {
 protected:
  std::shared_ptr<FakeFetch> Fetch(const std::string& key) {
    auto fetch = std::make_shared<FakeFetch>(key);
    requests.Add(fetch);
    return fetch;
  }
  void Notify() {
    requests.Add(2, cache::Notice{"k", 1}, cache::Completion<bool>::Make(loop, [this](bool yes) {
                   acknowledged.push_back(yes);
                 }));
  }
  void Invalidate() {
    requests.Add({"k"}, cache::Completion<cache::Result<int64_t>>::Make(
                            loop, [this](const auto& count) { counts.push_back(count); }));
  }
  void Run() {
    requests.Add(1, {"SET"},
                 cache::Completion<cache::Result<CommandReply>>::Make(
                     loop, [this](const auto& reply) { replies.push_back(reply); }));
  }
  void SendAll() { requests.SendAll(cache::SystemClock().Now(), 2, *this); }
  void Send(wire::Frame frame, const std::vector<LargeField>&) override { frames.push_back(frame); }
  void SendWritten(const WriteFrames& write) override {
    std::string bytes;
    const uint64_t written = write(bytes, kEpoch);
    FrameDecoder decoder;
    decoder.Append(bytes);
    wire::Frame frame;
    for (uint64_t i = 0; i < written; ++i) {
      ASSERT_EQ(decoder.Next(frame), FrameDecoder::Status::kFrame);
      EXPECT_EQ(frame.epoch(), kEpoch);
      frames.push_back(frame);
    }
    EXPECT_EQ(decoder.buffered(), 0u);
  }
  // Completions run; the last thing of a test.
  void Settle() {
    loop.Stop();
    loop.Run();
  }

  static constexpr uint64_t kEpoch = 4711;
  net::Loop loop{0};
  cache::Budget memory{1 << 30};
  LinkRequests requests{"b", memory};
  std::vector<wire::Frame> frames;
  std::vector<bool> acknowledged;
  std::vector<cache::Result<int64_t>> counts;
  std::vector<cache::Result<CommandReply>> replies;
};

TEST_F(LinkRequestsTest, LongKeysAreSpreadOverFrames) {
  for (int i = 0; i < 40; ++i)
    Fetch(std::string(65536, 'k'));
  SendAll();
  EXPECT_EQ(frames.size(), 10u);
}

TEST_F(LinkRequestsTest, UnknownOperationIsToldToEachKind) {
  const auto fetch = Fetch("k");
  Notify();
  Invalidate();
  Run();
  SendAll();
  ASSERT_EQ(frames.size(), 4u);
  for (const wire::Frame& frame : frames) {
    wire::Frame answer;
    answer.set_id(frame.id());
    answer.mutable_unknown_op();
    EXPECT_TRUE(requests.OnAnswer(answer));
  }
  Settle();
  EXPECT_EQ(fetch->Answer().error().code, ErrorCode::kPeer);
  EXPECT_EQ(acknowledged, std::vector<bool>{false});
  EXPECT_EQ(counts.at(0).error().text, "owner b did not confirm");
  EXPECT_EQ(replies.at(0).error().code, ErrorCode::kPeer);
  EXPECT_EQ(requests.sent(), 0u);
}

TEST_F(LinkRequestsTest, AnswerOfAnotherKindIsNone) {
  Run();
  SendAll();
  wire::Frame answer;
  answer.set_id(frames.at(0).id());
  answer.mutable_invalidate_reply()->set_done(true);
  EXPECT_FALSE(requests.OnAnswer(answer));
  Settle();
  EXPECT_FALSE(replies.at(0));
}

TEST_F(LinkRequestsTest, AnswerToNothingIsNone) {
  wire::Frame answer;
  answer.set_id(9);
  answer.mutable_invalidate_reply()->set_done(true);
  EXPECT_FALSE(requests.OnAnswer(answer));
}

TEST_F(LinkRequestsTest, ItemThatWasNotAskedIsNoAnswer) {
  const auto fetch = Fetch("k");
  SendAll();
  wire::Frame answer;
  answer.set_id(frames.at(0).id());
  answer.mutable_get_reply()->add_items()->set_index(1);
  EXPECT_FALSE(requests.OnAnswer(answer));
  EXPECT_EQ(fetch->replies.size(), 0u);
  requests.LoseSent();
  EXPECT_EQ(fetch->Answer().error().text, "link to owner b was lost");
}

TEST_F(LinkRequestsTest, SecondAnswerToAnItemIsIgnored) {
  const auto first = Fetch("k");
  const auto second = Fetch("l");
  SendAll();
  for (int i = 0; i < 2; ++i) {
    wire::Frame answer;
    answer.set_id(frames.at(0).id());
    answer.mutable_get_reply()->add_items()->set_outcome(wire::OUTCOME_NOT_FOUND);
    EXPECT_TRUE(requests.OnAnswer(answer));
  }
  EXPECT_EQ(first->replies.size(), 1u);
  EXPECT_EQ(second->replies.size(), 0u);
}

TEST_F(LinkRequestsTest, OutcomeOfALaterVersionIsAnError) {
  const auto fetch = Fetch("k");
  SendAll();
  wire::Frame answer;
  answer.set_id(frames.at(0).id());
  answer.mutable_get_reply()->add_items()->set_outcome(static_cast<wire::Outcome>(77));
  EXPECT_TRUE(requests.OnAnswer(answer));
  EXPECT_EQ(fetch->Answer().error().code, ErrorCode::kPeer);
}

TEST_F(LinkRequestsTest, NoticeRefusedByThePeerIsNotAcknowledged) {
  Notify();
  SendAll();
  wire::Frame answer;
  answer.set_id(frames.at(0).id());
  answer.mutable_invalidate_reply()->mutable_error()->set_text("no");
  EXPECT_TRUE(requests.OnAnswer(answer));
  Settle();
  EXPECT_EQ(acknowledged, std::vector<bool>{false});
}

TEST_F(LinkRequestsTest, RefusedRequestsWereNeverSent) {
  const auto fetch = Fetch("k");
  Notify();
  Invalidate();
  Run();
  requests.RefuseUnsent(cache::errors::PeerUnreachable("b"));
  EXPECT_FALSE(requests.has_unsent());
  SendAll();
  EXPECT_TRUE(frames.empty());
  Settle();
  EXPECT_EQ(fetch->sendings, 0);
  EXPECT_EQ(fetch->Answer().error().code, ErrorCode::kPeer);
  EXPECT_EQ(acknowledged, std::vector<bool>{false});
  EXPECT_EQ(counts.at(0).error().text, "owner b cannot be reached");
  EXPECT_EQ(replies.at(0).error().text, "owner b cannot be reached");
}

TEST_F(LinkRequestsTest, OnlyGetsThatAreLateTimeOut) {
  auto late = std::make_shared<FakeFetch>("late", std::chrono::milliseconds(0));
  requests.Add(late);
  const auto early = Fetch("early");
  SendAll();
  requests.TimeOut(cache::SystemClock().Now());
  EXPECT_EQ(late->Answer().error().code, ErrorCode::kTimeout);
  EXPECT_EQ(early->replies.size(), 0u);
  EXPECT_EQ(requests.sent(), 1u);
}

}  // namespace
}  // namespace cistern::cluster
