#include "cache/completion.h"

#include <gtest/gtest.h>

#include "tests/support/manual_executor.h"

namespace cistern::test {
namespace {

using namespace std::chrono_literals;
using IntCompletion = cache::Completion<int>;

struct CompletionTest : testing::Test {
  cache::CompletionPtr<int> Make() {
    return IntCompletion::Make(executor, [this](int n) { got.push_back(n); });
  }
  cache::CompletionPtr<int> MakeUntil(cache::Duration left) {
    return IntCompletion::Make(
        executor, [this](int n) { got.push_back(n); }, left, [] { return -1; });
  }
  ManualClock clock;
  ManualExecutor executor{clock};
  std::vector<int> got;
};

TEST_F(CompletionTest, DeliversTheFirstResultOnceAndLater) {
  auto completion = Make();
  completion->Done(1);
  completion->Done(2);
  EXPECT_TRUE(got.empty());
  executor.RunAll();
  EXPECT_EQ(got, std::vector{1});
}

TEST_F(CompletionTest, TheDeadlineAnswersOnceAndALateResultIsIgnored) {
  auto completion = MakeUntil(10ms);
  clock.Advance(10ms);
  executor.RunAll();
  completion->Done(1);
  executor.RunAll();
  EXPECT_EQ(got, std::vector{-1});
}

TEST_F(CompletionTest, AResultThatIsUnderWayWhenTheDeadlineComesWins) {
  auto completion = MakeUntil(10ms);
  completion->Done(1);
  clock.Advance(10ms);
  executor.RunAll();
  EXPECT_EQ(got, std::vector{1});
  EXPECT_EQ(executor.timers(), 0u);
}

TEST_F(CompletionTest, DoneNowDeliversInsideTheCallAndOnce) {
  auto completion = MakeUntil(10ms);
  completion->DoneNow(1);
  EXPECT_EQ(got, std::vector{1});
  completion->DoneNow(2);
  completion->Done(3);
  clock.Advance(1s);
  executor.RunAll();
  EXPECT_EQ(got, std::vector{1});
  EXPECT_EQ(executor.timers(), 0u);
}

TEST_F(CompletionTest, DoneNowComesTooLateForAResultThatIsUnderWay) {
  auto completion = Make();
  completion->Done(1);
  completion->DoneNow(2);
  EXPECT_TRUE(got.empty());
  executor.RunAll();
  EXPECT_EQ(got, std::vector{1});
}

TEST_F(CompletionTest, AfterCancelNothingIsDelivered) {
  auto early = MakeUntil(10ms);
  early->Cancel();
  early->Done(1);
  auto posted = Make();
  posted->Done(2);
  posted->Cancel();
  clock.Advance(1s);
  executor.RunAll();
  EXPECT_TRUE(got.empty());
  EXPECT_FALSE(early->pending());
  EXPECT_EQ(executor.timers(), 0u);
}

}  // namespace
}  // namespace cistern::test
