#include "server/bits.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cistern::server {
namespace {

bool operator==(const Range& a, const Range& b) {
  return a.first == b.first && a.last == b.last;
}

TEST(RangeTest, NegativeNumbersCountFromTheEnd) {
  EXPECT_TRUE(RangeWithin(0, -1, 10) == (Range{0, 9}));
  EXPECT_TRUE(RangeWithin(-3, -2, 10) == (Range{7, 8}));
}

TEST(RangeTest, WhatLiesOutsideIsCutOff) {
  EXPECT_TRUE(RangeWithin(-99, 99, 10) == (Range{0, 9}));
  EXPECT_TRUE(RangeWithin(INT64_MIN, INT64_MAX, 10) == (Range{0, 9}));
  EXPECT_TRUE(RangeWithin(10, 99, 10).empty());
  EXPECT_TRUE(RangeWithin(0, -1, 0).empty());
}

TEST(RangeTest, OnlyTheOrderedOneMindsTheOrderOfWhatLiesBeforeTheBegin) {
  EXPECT_TRUE(RangeWithin(-11, -99, 10) == (Range{0, 0}));
  EXPECT_TRUE(OrderedRangeWithin(-11, -99, 10).empty());
  EXPECT_TRUE(OrderedRangeWithin(0, -99, 10) == (Range{0, 0}));
}

TEST(BitsTest, TheFirstBitIsTheHighestOfTheFirstByte) {
  EXPECT_TRUE(BitAt("\x80", 0));
  EXPECT_FALSE(BitAt("\x80", 7));
  EXPECT_TRUE(BitAt(std::string("\x00\x01", 2), 15));
  EXPECT_FALSE(BitAt("\xff", 8));
  EXPECT_FALSE(BitAt("", UINT64_MAX));
}

// Every range of values with few ones, with few zeros and with both, against one bit at a time.
TEST(BitsTest, CountingAndFindingAgreeWithLookingAtEachBit) {
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    std::string bytes(20, round % 3 == 0 ? '\0' : '\xff');
    for (int change = round % 5; change > 0; --change)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto size = static_cast<int64_t>(bytes.size()) * 8;
    for (int64_t first = 0; first < size; first += 1 + static_cast<int64_t>(random() % 5)) {
      int64_t count = 0;
      int64_t found[2] = {-1, -1};
      for (int64_t last = first; last < size; ++last) {
        const bool bit = BitAt(bytes, static_cast<uint64_t>(last));
        count += bit ? 1 : 0;
        if (found[bit] < 0) found[bit] = last;
        ASSERT_EQ(CountBits(bytes, {first, last}), count) << first << " to " << last;
        ASSERT_EQ(FindBit(bytes, {first, last}, true), found[1]) << first << " to " << last;
        ASSERT_EQ(FindBit(bytes, {first, last}, false), found[0]) << first << " to " << last;
      }
    }
  }
}

TEST(BitsTest, AnEmptyRangeHasNoBits) {
  EXPECT_EQ(CountBits("", {}), 0);
  EXPECT_EQ(FindBit("", {}, true), -1);
  EXPECT_EQ(FindBit("", {}, false), -1);
}

}  // namespace
}  // namespace cistern::server
