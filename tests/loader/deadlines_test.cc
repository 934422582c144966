#include "loader/deadlines.h"

#include "tests/loader/loader_fixture.h"

namespace cistern::loader {
namespace {

using std::chrono::milliseconds;

class DeadlinesTest : public LoaderTest {
 protected:
  LoadDone Add(Deadlines& deadlines, const std::string& name) {
    auto done = cache::Completion<LoadResult>::Make(
        loop_, [this, name](LoadResult result) { outcomes_[name].push_back(TextOf(result)); });
    deadlines.Add(done);
    return done;
  }
};

TEST_F(DeadlinesTest, LateLoadIsAnsweredWithTheGroupsTimeout) {
  Deadlines deadlines(loop_, "users", milliseconds(3));
  Add(deadlines, "late");
  deadlines.OnExpired([this] { loop_.Post(ThenFinish()); });
  Run();
  EXPECT_EQ(Outcome("late"), "BACKEND users: timeout after 3 ms");
  EXPECT_EQ(deadlines.size(), 0U);
}

TEST_F(DeadlinesTest, AnsweredLoadIsLeftAlone) {
  Deadlines deadlines(loop_, "users", milliseconds(3));
  Add(deadlines, "in time")->Done(NotFound());
  Add(deadlines, "late");
  deadlines.OnExpired([this] { loop_.Post(ThenFinish()); });
  Run();
  EXPECT_EQ(Outcome("in time"), "not found");
  EXPECT_EQ(Outcome("late"), "BACKEND users: timeout after 3 ms");
}

TEST_F(DeadlinesTest, ClockAndNotTheTimerDecides) {
  clock().Stop();
  Deadlines deadlines(loop_, "users", milliseconds(1));
  Add(deadlines, "k");
  loop_.After(milliseconds(10), [&] {
    EXPECT_EQ(deadlines.size(), 1U);
    clock().Advance(milliseconds(1));
  });
  deadlines.OnExpired([this] { loop_.Post(ThenFinish()); });
  Run();
  EXPECT_EQ(Outcome("k"), "BACKEND users: timeout after 1 ms");
}

TEST_F(DeadlinesTest, AnsweredLoadsDoNotPileUp) {
  Deadlines deadlines(loop_, "users", std::chrono::hours(1));
  for (int i = 0; i < 1000; ++i)
    Add(deadlines, "k")->Done(NotFound());
  EXPECT_LE(deadlines.size(), 1U);
  Finish();
  Run();
}

TEST_F(DeadlinesTest, StoppedOrDestroyedOnesAnswerNobody) {
  Deadlines stopped(loop_, "users", milliseconds(1));
  const auto first = Add(stopped, "stopped");
  stopped.OnExpired([] { FAIL(); });
  stopped.Stop();
  auto destroyed = std::make_unique<Deadlines>(loop_, "users", milliseconds(1));
  const auto second = Add(*destroyed, "destroyed");
  destroyed.reset();
  loop_.After(milliseconds(5), ThenFinish());
  Run();
  EXPECT_TRUE(first->pending());
  EXPECT_TRUE(second->pending());
}

}  // namespace
}  // namespace cistern::loader
