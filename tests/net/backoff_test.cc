#include "net/backoff.h"

#include <gtest/gtest.h>

namespace cistern::net {
namespace {

using std::chrono::milliseconds;

TEST(BackoffTest, WaitsAreBetweenFirstAndThreeTimesTheLast) {
  double drawn = 1.0;
  Backoff backoff(milliseconds(10), milliseconds(1000), [&drawn] { return drawn; });
  EXPECT_EQ(backoff.Next(), milliseconds(30));
  EXPECT_EQ(backoff.Next(), milliseconds(90));
  drawn = 0.0;
  EXPECT_EQ(backoff.Next(), milliseconds(10));
  drawn = 0.5;
  EXPECT_EQ(backoff.Next(), milliseconds(20));
}

TEST(BackoffTest, NeverExceedsItsCap) {
  Backoff backoff(milliseconds(10), milliseconds(50), [] { return 0.999; });
  for (int i = 0; i < 10; ++i)
    EXPECT_LE(backoff.Next(), milliseconds(50));
  EXPECT_EQ(backoff.Next(), milliseconds(50));
}

TEST(BackoffTest, ResetBeginsAnew) {
  Backoff backoff(milliseconds(10), milliseconds(1000), [] { return 1.0; });
  backoff.Next();
  backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), milliseconds(30));
}

TEST(BackoffTest, TwoOfThemDoNotStayInStep) {
  Backoff one(milliseconds(10), std::chrono::seconds(1000));
  Backoff other(milliseconds(10), std::chrono::seconds(1000));
  int same = 0;
  for (int i = 0; i < 5; ++i)
    same += one.Next() == other.Next() ? 1 : 0;
  EXPECT_LT(same, 5);
}

}  // namespace
}  // namespace cistern::net
