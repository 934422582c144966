#include "server/set_options.h"

#include <gtest/gtest.h>

namespace cistern::server {
namespace {

using Args = std::vector<std::string_view>;

std::string ErrorOf(const Args& args) {
  const auto options = ParseSetOptions(args);
  return options ? "none" : options.error();
}

TEST(SetOptionsTest, NothingMeansAlwaysAndTheGroupsLife) {
  const auto options = ParseSetOptions(Args{});
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->life);
  EXPECT_FALSE(options->keep_life);
  EXPECT_FALSE(options->get);
  EXPECT_EQ(options->condition, SetCondition::kAlways);
}

TEST(SetOptionsTest, EndsAreReadInTheirUnits) {
  const struct {
    const char* word;
    LifeUnit unit;
    bool is_absolute;
  } cases[] = {{"EX", LifeUnit::kSeconds, false},
               {"px", LifeUnit::kMilliseconds, false},
               {"ExAt", LifeUnit::kSeconds, true},
               {"PXAT", LifeUnit::kMilliseconds, true}};
  for (const auto& [word, unit, is_absolute] : cases) {
    const Args args{word, "10"};
    const auto options = ParseSetOptions(args);
    ASSERT_TRUE(options && options->life) << word;
    EXPECT_EQ(options->life->count, "10") << word;
    EXPECT_EQ(options->life->unit, unit) << word;
    EXPECT_EQ(options->life->is_absolute, is_absolute) << word;
  }
}

TEST(SetOptionsTest, TheLastOfOneKindCounts) {
  const Args args{"EX", "10", "ex", "20"};
  EXPECT_EQ(ParseSetOptions(args)->life->count, "20");
}

TEST(SetOptionsTest, OptionsStandInAnyOrder) {
  EXPECT_EQ(ParseSetOptions(Args{"nx", "PX", "1"})->condition, SetCondition::kIfAbsent);
  EXPECT_EQ(ParseSetOptions(Args{"PX", "1", "Xx"})->condition, SetCondition::kIfPresent);
  EXPECT_EQ(ParseSetOptions(Args{"XX", "XX"})->condition, SetCondition::kIfPresent);
  EXPECT_TRUE(ParseSetOptions(Args{"GET", "XX"})->get);
  EXPECT_TRUE(ParseSetOptions(Args{"NX", "keepttl"})->keep_life);
}

TEST(SetOptionsTest, WhatRedisCallsASyntaxErrorIsOne) {
  for (const Args& args :
       {Args{"NX", "XX"}, Args{"XX", "NX"}, Args{"EX"}, Args{"PX"}, Args{"EX", "1", "PX", "1"},
        Args{"KEEPTTL", "EX", "1"}, Args{"PXAT", "1", "KEEPTTL"}, Args{"PERSIST"}, Args{""},
        Args{"EXAT", "1", "EX", "1"}, Args{"EX", "1", "2"}}) {
    EXPECT_EQ(ErrorOf(args), "ERR syntax error") << testing::PrintToString(args);
  }
}

TEST(GetExOptionsTest, KnowsEndsAndPersistAndNothingElse) {
  EXPECT_FALSE(ParseGetExOptions(Args{})->life);
  EXPECT_FALSE(ParseGetExOptions(Args{})->persist);
  EXPECT_TRUE(ParseGetExOptions(Args{"Persist"})->persist);
  const Args exat{"EXAT", "5"};
  EXPECT_TRUE(ParseGetExOptions(exat)->life->is_absolute);
  for (const Args& args : {Args{"NX"}, Args{"GET"}, Args{"KEEPTTL"}, Args{"EX"},
                           Args{"PERSIST", "EX", "1"}, Args{"EX", "1", "PERSIST"}}) {
    ASSERT_FALSE(ParseGetExOptions(args)) << testing::PrintToString(args);
    EXPECT_EQ(ParseGetExOptions(args).error(), "ERR syntax error");
  }
}

}  // namespace
}  // namespace cistern::server
