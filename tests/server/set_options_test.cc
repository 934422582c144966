#include "server/set_options.h"

#include <gtest/gtest.h>

namespace cistern::server {
namespace {

using cache::SetCondition;
using namespace std::chrono_literals;

using Args = std::vector<std::string>;

std::string ErrorOf(const Args& args) {
  const auto options = ParseSetOptions(args);
  return options ? "none" : options.error();
}

TEST(SetOptionsTest, NothingMeansAlwaysAndTheGroupsLife) {
  const auto options = ParseSetOptions(Args{});
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->ttl);
  EXPECT_EQ(options->condition, SetCondition::kAlways);
}

TEST(SetOptionsTest, LivesAreReadInBothUnits) {
  EXPECT_EQ(ParseSetOptions(Args{"EX", "10"})->ttl, cache::Duration(10s));
  EXPECT_EQ(ParseSetOptions(Args{"px", "10"})->ttl, cache::Duration(10ms));
  EXPECT_EQ(ParseSetOptions(Args{"EX", "10", "ex", "20"})->ttl, cache::Duration(20s));
}

TEST(SetOptionsTest, ConditionsStandAnywhere) {
  EXPECT_EQ(ParseSetOptions(Args{"nx", "PX", "1"})->condition, SetCondition::kIfAbsent);
  EXPECT_EQ(ParseSetOptions(Args{"PX", "1", "Xx"})->condition, SetCondition::kIfPresent);
  EXPECT_EQ(ParseSetOptions(Args{"XX", "XX"})->condition, SetCondition::kIfPresent);
}

TEST(SetOptionsTest, WhatRedisCallsASyntaxErrorIsOne) {
  for (const Args& args :
       {Args{"NX", "XX"}, Args{"XX", "NX"}, Args{"EX"}, Args{"PX"}, Args{"EX", "1", "PX", "1"},
        Args{"KEEPTTL"}, Args{"GET"}, Args{""}, Args{"EXAT", "1"}, Args{"EX", "1", "2"}}) {
    EXPECT_EQ(ErrorOf(args), "ERR syntax error") << testing::PrintToString(args);
  }
}

TEST(SetOptionsTest, LivesAreStrictIntegers) {
  for (const char* life : {"x", "", "1.5", " 1", "1 ", "+1", "01", "99999999999999999999", "-"}) {
    EXPECT_EQ(ErrorOf({"EX", life}), "ERR value is not an integer or out of range") << life;
  }
}

TEST(SetOptionsTest, LivesThatCannotBeAreRefused) {
  for (const Args& args :
       {Args{"EX", "0"}, Args{"EX", "-1"}, Args{"PX", "0"}, Args{"EX", "9223372036854775807"}}) {
    EXPECT_EQ(ErrorOf(args), "ERR invalid expire time in 'set' command");
  }
}

TEST(SetOptionsTest, TheLongestLivesAreCutNotOverflown) {
  const cache::Duration cut = 200 * 365 * 24h;
  EXPECT_EQ(ParseSetOptions(Args{"PX", "9223372036854775807"})->ttl, cut);
  EXPECT_EQ(ParseSetOptions(Args{"EX", "9223372036854775"})->ttl, cut);
}

}  // namespace
}  // namespace cistern::server
