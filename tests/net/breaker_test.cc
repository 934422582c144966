#include "net/breaker.h"

#include <gtest/gtest.h>

namespace cistern::net {
namespace {

using std::chrono::milliseconds;

// Each wait is three times the last: 30 ms, 90, 270, 500, 500.
struct BreakerTest : testing::Test {
  BreakerTest() { EXPECT_TRUE(Try()); }
  bool Try() {
    const bool may = breaker.MayTry(now);
    if (may) breaker.Begin();
    return may;
  }
  void Fail() { breaker.Failed(now); }
  void Wait(int ms) { now += milliseconds(ms); }

  cache::Instant now{std::chrono::hours(1)};
  Breaker breaker{Backoff(milliseconds(10), milliseconds(500), [] { return 1.0; })};
};

TEST_F(BreakerTest, IsClosedUntilATryFails) {
  breaker.Succeeded();
  EXPECT_FALSE(breaker.is_down());
  EXPECT_TRUE(Try());
  Fail();
  EXPECT_TRUE(breaker.is_down());
  EXPECT_FALSE(Try());
}

TEST_F(BreakerTest, AfterTheWaitOneTriesAtATime) {
  Fail();
  Wait(29);
  EXPECT_FALSE(Try());
  Wait(1);
  EXPECT_TRUE(Try());
  Wait(1000);
  EXPECT_FALSE(Try()) << "one is under way";
}

TEST_F(BreakerTest, EachFailureMakesTheNextWaitLonger) {
  for (const int wait : {30, 90, 270, 500, 500}) {
    Fail();
    Wait(wait - 1);
    EXPECT_FALSE(Try());
    Wait(1);
    EXPECT_TRUE(Try());
  }
}

TEST_F(BreakerTest, ASuccessClosesItAndWaitsBeginAnew) {
  Fail();
  Wait(30);
  Try();
  Fail();
  Wait(90);
  Try();
  breaker.Succeeded();
  EXPECT_FALSE(breaker.is_down());
  EXPECT_TRUE(Try());
  Fail();
  Wait(30);
  EXPECT_TRUE(Try());
}

TEST_F(BreakerTest, ATryThatSaysNothingMayBeRepeatedAtOnce) {
  Fail();
  Wait(30);
  Try();
  breaker.GivenUp();
  EXPECT_TRUE(breaker.is_down());
  EXPECT_TRUE(Try());
}

TEST_F(BreakerTest, ATryThatSaysNothingDoesNotOpenIt) {
  breaker.GivenUp();
  EXPECT_FALSE(breaker.is_down());
}

TEST_F(BreakerTest, IsDownSinceTheFirstFailure) {
  const cache::Instant first = now;
  Fail();
  Wait(30);
  Try();
  Fail();
  EXPECT_EQ(breaker.down_since(), first);
}

}  // namespace
}  // namespace cistern::net
