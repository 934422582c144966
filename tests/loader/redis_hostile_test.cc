// A redis backend that answers to do harm: what it may cost, and that it costs nobody else.
#include "loader/redis.h"
#include "tests/loader/redis_fixture.h"

namespace cistern::loader {
namespace {

using std::chrono::milliseconds;

class RedisHostileTest : public RedisTest {
 protected:
  // After a good answer, "k" (or "k" and "l" together) is answered with `answer`; "next" finds the
  // server healthy again.
  void AnswerWith(FakeRedis::Answer answer, const std::vector<std::string>& keys = {"k"}) {
    OpenAndWarmUp([this, answer = std::move(answer), keys] {
      const auto normal = fake_.script;
      fake_.script = [answer](const FakeRedis::Command&) { return answer; };
      Load(keys, [this, normal] {
        fake_.script = normal;
        // The connection is closed a moment after its loads were told.
        loop_.After(milliseconds(5), [this] { Load({"next"}, ThenFinish()); });
      });
    });
    Run();
    EXPECT_EQ(Outcome("next"), "value of next");
  }
};

TEST_F(RedisHostileTest, AnArrayLongerThanWasAskedForIsNotAllocated) {
  AnswerWith({"*2147483647\r\n"}, {"k", "l"});
  EXPECT_EQ(Outcome("k"), "BACKEND users: protocol error: an array that nobody asked for");
  EXPECT_EQ(Outcome("l"), Outcome("k"));
}

TEST_F(RedisHostileTest, ArraysInsideArraysAreRefused) {
  AnswerWith({"*2\r\n*1\r\n*1\r\n"}, {"k", "l"});
  EXPECT_EQ(Outcome("k"), "BACKEND users: protocol error: an array that nobody asked for");
}

TEST_F(RedisHostileTest, AReplyAboveItsLimitEndsTheConnection) {
  options_.max_reply = 200'000;
  AnswerWith({"$1000000\r\n" + std::string(300'000, 'x')});
  EXPECT_EQ(Outcome("k"), "BACKEND users: a reply above 200000 bytes (backend.max_reply)");
}

TEST_F(RedisHostileTest, AReplyOfTheLimitIsAValue) {
  options_.max_reply = 200'000;
  const std::string value(200'000 - 11, 'x');
  AnswerWith({Bulk(value)});
  EXPECT_EQ(Outcome("k"), "value " + value);
}

TEST_F(RedisHostileTest, ManyRepliesInOneReadAreNotOneLongReply) {
  options_.max_reply = 1000;
  AnswerWith({Array({Bulk(std::string(900, 'a')), "$-1\r\n"})}, {"k", "l"});
  EXPECT_EQ(Outcome("l"), "not found");
}

TEST_F(RedisHostileTest, ALineWithoutEndEndsTheConnection) {
  AnswerWith({"+" + std::string(300'000, 'x')});
  EXPECT_EQ(Outcome("k"), "BACKEND users: protocol error: a line without end");
}

TEST_F(RedisHostileTest, ALengthWithoutEndEndsTheConnection) {
  AnswerWith({"$" + std::string(300'000, '1')});
  EXPECT_EQ(Outcome("k"), "BACKEND users: protocol error: a line without end");
}

TEST_F(RedisHostileTest, AReplyThatTricklesInDoesNotHoldUpLaterLoads) {
  options_.timeout = milliseconds(250);
  // Asked again and again: each load waits its time, until the first has had twice of it.
  std::function<void()> again = [&] {
    if (outcomes_["k"].back().starts_with("value") || outcomes_["k"].size() == 10) return Finish();
    Load({"k"}, again);
  };
  OpenAndWarmUp([&] {
    const auto normal = fake_.script;
    fake_.script = [this, normal](const FakeRedis::Command&) {
      fake_.script = normal;
      return FakeRedis::Answer{.bytes = "$1000000\r\n", .drips = true};
    };
    Load({"k"}, again);
  });
  Run();
  EXPECT_EQ(outcomes_["k"].front(), "BACKEND users: timeout after 250 ms");
  EXPECT_EQ(outcomes_["k"].back(), "value of k");
  EXPECT_LE(outcomes_["k"].size(), 4u);
  EXPECT_EQ(fake_.connections(), 2);
}

TEST_F(RedisHostileTest, ErrorTextsAreCutAndPrintable) {
  AnswerWith({"-ERR a\x1b[2J\nb\xff" + std::string(1000, 'x') + "\r\n"});
  EXPECT_EQ(Outcome("k"), "BACKEND users: ERR a.[2J.b." + std::string(256 - 12, 'x') + "...");
}

}  // namespace
}  // namespace cistern::loader
