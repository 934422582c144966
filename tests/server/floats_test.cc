#include "server/floats.h"

#include <gtest/gtest.h>

namespace cistern::server {
namespace {

TEST(FloatsTest, TheWholeTextIsTheNumber) {
  EXPECT_EQ(ParseFloat("1.5"), 1.5L);
  EXPECT_EQ(ParseFloat("-2e3"), -2000.0L);
  EXPECT_EQ(ParseFloat(".5"), 0.5L);
  EXPECT_EQ(ParseFloat("0x10"), 16.0L);
  for (const char* text : {"", " 1", "1 ", "\n1", "1x", "x", "nan", "-", "1e5000", "1e-5000"})
    EXPECT_FALSE(ParseFloat(text)) << text;
  EXPECT_FALSE(ParseFloat(std::string_view("1\0", 2)));
  EXPECT_FALSE(ParseFloat(std::string(5120, '1')));
  EXPECT_TRUE(ParseFloat(std::string(4900, '1')));
}

TEST(FloatsTest, InfinityIsANumber) {
  EXPECT_TRUE(ParseFloat("inf"));
  EXPECT_TRUE(ParseFloat("-inf"));
}

TEST(FloatsTest, NoExponentAndNoZerosAtTheEndAreShown) {
  EXPECT_EQ(ShowFloat(3), "3");
  EXPECT_EQ(ShowFloat(100), "100");
  EXPECT_EQ(ShowFloat(0.1L), "0.1");
  EXPECT_EQ(ShowFloat(-1.50L), "-1.5");
  EXPECT_EQ(ShowFloat(1e30L), "1000000000000000000024696061952");
  EXPECT_EQ(ShowFloat(-1e-30L), "0");
  EXPECT_EQ(ShowFloat(1e4932L).size(), 4933U);
}

}  // namespace
}  // namespace cistern::server
