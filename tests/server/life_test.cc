#include "server/life.h"

#include <gtest/gtest.h>

namespace cistern::server {
namespace {

using namespace std::chrono_literals;

// Boot and wall clock each show what the test says.
class TwoClocks final : public cache::Clock {
 public:
  cache::Instant Now() const override { return boot; }
  cache::WallTime WallNow() const override { return wall; }

  cache::Instant boot{5s + 123'456'789ns};
  cache::WallTime wall{1'700'000'000s + 987'654'321ns};
};

constexpr int64_t kLargest = INT64_MAX;
constexpr cache::Duration kLongest = 200 * 365 * 24h;

class LifeTest : public testing::Test {
 protected:
  tl::expected<cache::Instant, std::string> EndOf(const std::string& count, LifeUnit unit,
                                                  bool is_absolute = false,
                                                  PastEnds past = PastEnds::kRefused) {
    return TimeReading(clocks_).EndOf({count, unit, is_absolute}, "set", past);
  }
  std::string ErrorOf(const std::string& count, LifeUnit unit, bool is_absolute = false,
                      PastEnds past = PastEnds::kRefused) {
    const auto end = EndOf(count, unit, is_absolute, past);
    return end ? "none" : end.error();
  }

  TwoClocks clocks_;
};

TEST_F(LifeTest, ARelativeEndIsExact) {
  EXPECT_EQ(EndOf("10", LifeUnit::kSeconds), clocks_.boot + 10s);
  EXPECT_EQ(EndOf("10", LifeUnit::kMilliseconds), clocks_.boot + 10ms);
}

TEST_F(LifeTest, AnAbsoluteEndIsShownAsItWasSaidHoweverLateItIsAskedFor) {
  const auto end = EndOf("1700000100123", LifeUnit::kMilliseconds, true);
  EXPECT_EQ(end, clocks_.boot + 99s + 135'345'679ns);
  EXPECT_EQ(TimeReading(clocks_).SinceEpoch(*end), 1700000100123);
  clocks_.boot += 31'415'926'535ns;
  clocks_.wall += 31'415'926'535ns + 400us;  // the clocks were not read at quite the same instant
  EXPECT_EQ(TimeReading(clocks_).SinceEpoch(*end), 1700000100123);
  EXPECT_EQ(EndOf("1700000100", LifeUnit::kSeconds, true),
            EndOf("1700000100000", LifeUnit::kMilliseconds, true));
}

TEST_F(LifeTest, WhatIsLeftIsNeverZeroBeforeTheEndNorNegativeAfterIt) {
  const TimeReading time(clocks_);
  EXPECT_EQ(time.Left(clocks_.boot + 2500ms), 2500);
  EXPECT_EQ(time.Left(clocks_.boot + 1ns), 1);
  EXPECT_EQ(time.Left(clocks_.boot), 0);
  EXPECT_EQ(time.Left(clocks_.boot - 5s), 0);
  EXPECT_EQ(InUnit(2500, LifeUnit::kMilliseconds), 2500);
  EXPECT_EQ(InUnit(2500, LifeUnit::kSeconds), 3);
  EXPECT_EQ(InUnit(2499, LifeUnit::kSeconds), 2);
}

TEST_F(LifeTest, CountsAreStrictIntegers) {
  for (const char* count : {"x", "", "1.5", " 1", "1 ", "+1", "01", "99999999999999999999", "-"}) {
    EXPECT_EQ(ErrorOf(count, LifeUnit::kSeconds), "ERR value is not an integer or out of range")
        << count;
  }
}

TEST_F(LifeTest, EndsThatHavePassedAreRefusedOrInThePast) {
  for (const char* count : {"0", "-1"}) {
    EXPECT_EQ(ErrorOf(count, LifeUnit::kSeconds), "ERR invalid expire time in 'set' command");
    EXPECT_LE(EndOf(count, LifeUnit::kSeconds, false, PastEnds::kAllowed).value(), clocks_.boot);
  }
  EXPECT_LT(EndOf("1", LifeUnit::kSeconds, true).value(), clocks_.boot);
}

TEST_F(LifeTest, CountsThatOverflowAreRefused) {
  const std::string largest = std::to_string(kLargest);
  EXPECT_NE(ErrorOf(largest, LifeUnit::kSeconds), "none");
  EXPECT_NE(ErrorOf(std::to_string(-kLargest), LifeUnit::kSeconds, false, PastEnds::kAllowed),
            "none");
  EXPECT_NE(ErrorOf(largest, LifeUnit::kMilliseconds), "none") << "from now on it overflows";
  EXPECT_EQ(ErrorOf(largest, LifeUnit::kMilliseconds, true), "none");
}

TEST_F(LifeTest, TheLongestLivesAreCutNotOverflown) {
  const std::string long_ms = std::to_string(kLargest - 1'700'000'000'987);
  EXPECT_EQ(EndOf(long_ms, LifeUnit::kMilliseconds), clocks_.boot + kLongest);
  const auto absolute = EndOf(std::to_string(kLargest), LifeUnit::kMilliseconds, true);
  ASSERT_TRUE(absolute);
  EXPECT_LE(*absolute, clocks_.boot + kLongest);
  EXPECT_GT(*absolute, clocks_.boot + kLongest - 1s);
  EXPECT_LT(
      EndOf(std::to_string(INT64_MIN), LifeUnit::kMilliseconds, true, PastEnds::kAllowed).value(),
      clocks_.boot);
}

// The thread is held once, for a second, between the readings of the two clocks.
class HeldOnceClock final : public cache::Clock {
 public:
  cache::Instant Now() const override { return cache::Instant(elapsed_); }
  cache::WallTime WallNow() const override {
    const cache::WallTime wall(elapsed_);
    if (holds_++ == 0) elapsed_ += 1s;
    return wall;
  }

 private:
  mutable cache::Duration elapsed_ = 1h;
  mutable int holds_ = 0;
};

TEST(LifeClocksTest, AreReadAgainIfTheThreadWasHeldBetweenThem) {
  const HeldOnceClock clock;
  const TimeReading time(clock);
  EXPECT_EQ(time.SinceEpoch(time.now()), 3'601'000);
}

}  // namespace
}  // namespace cistern::server
