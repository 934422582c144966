#include "server/config/units.h"

#include <gtest/gtest.h>

namespace cistern::server {
namespace {

using std::chrono::nanoseconds;

TEST(UnitsTest, EveryDurationUnitCounts) {
  EXPECT_EQ(ParseDuration("100us"), std::chrono::microseconds(100));
  EXPECT_EQ(ParseDuration("250ms"), std::chrono::milliseconds(250));
  EXPECT_EQ(ParseDuration("5s"), std::chrono::seconds(5));
  EXPECT_EQ(ParseDuration("10m"), std::chrono::minutes(10));
  EXPECT_EQ(ParseDuration("1h"), std::chrono::hours(1));
  EXPECT_EQ(ParseDuration("2d"), std::chrono::hours(48));
  EXPECT_EQ(ParseDuration("0s"), nanoseconds(0));
}

TEST(UnitsTest, OtherDurationsAreRefused) {
  for (const char* text :
       {"", "s", "5", "0", "-1s", "+1s", " 1s", "1s ", "1 s", "1.5s", "1S", "1min", "1h30m", "5ns",
        "99999999999999999999s", "9223372037s", "0x5s"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(UnitsTest, TheLongestDurationFits) {
  EXPECT_EQ(ParseDuration("9223372036s"), std::chrono::seconds(9223372036));
}

TEST(UnitsTest, EverySizeUnitCounts) {
  EXPECT_EQ(ParseSize("100B"), 100U);
  EXPECT_EQ(ParseSize("64KiB"), 65536U);
  EXPECT_EQ(ParseSize("256MiB"), 268435456U);
  EXPECT_EQ(ParseSize("1GiB"), 1073741824U);
  EXPECT_EQ(ParseSize("2TiB"), 2199023255552U);
  EXPECT_EQ(ParseSize("0B"), 0U);
}

TEST(UnitsTest, OtherSizesAreRefused) {
  for (const char* text : {"", "B", "5", "0", "-1B", "1KB", "1MB", "1kib", "1 MiB", "1.5GiB", "1M",
                           "99999999999999999999B", "8388608TiB"}) {
    EXPECT_EQ(ParseSize(text), std::nullopt) << text;
  }
}

TEST(UnitsTest, TheLargestUnitWithoutRestIsShown) {
  EXPECT_EQ(FormatDuration(std::chrono::seconds(90)), "90s");
  EXPECT_EQ(FormatDuration(std::chrono::seconds(120)), "2m");
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(1500)), "1500ms");
  EXPECT_EQ(FormatDuration(nanoseconds(0)), "0s");
  EXPECT_EQ(FormatDuration(nanoseconds(2999)), "2us");
  EXPECT_EQ(FormatSize(1536), "1536B");
  EXPECT_EQ(FormatSize(65536), "64KiB");
  EXPECT_EQ(FormatSize(1ULL << 40), "1TiB");
  EXPECT_EQ(FormatSize(0), "0B");
}

TEST(UnitsTest, WhatIsShownParsesToTheSame) {
  for (const uint64_t value : {1ULL, 999ULL, 1000ULL, 1024ULL, 86400ULL, 123456789ULL}) {
    EXPECT_EQ(ParseSize(FormatSize(value)), value);
    const auto duration = std::chrono::milliseconds(value);
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration);
  }
}

}  // namespace
}  // namespace cistern::server
