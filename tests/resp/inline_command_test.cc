#include "resp/inline_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cistern::resp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using std::string_literals::operator""s;

// The arguments, or {"<unbalanced>"}. What is expected was seen at a redis-server 7.0.
std::vector<std::string> Split(std::string_view line) {
  std::vector<std::string_view> args;
  std::string unquoted;
  const int count = SplitInline(line, args, unquoted);
  if (count < 0) return {"<unbalanced>"};
  return {args.begin(), args.begin() + count};
}

const auto kUnbalanced = std::vector<std::string>{"<unbalanced>"};

TEST(InlineCommand, WordsEndAtWhiteSpace) {
  EXPECT_THAT(Split("SET key\tvalue"), ElementsAre("SET", "key", "value"));
  EXPECT_THAT(Split("  GET \t  key  "), ElementsAre("GET", "key"));
  EXPECT_THAT(Split("a\rb"), ElementsAre("a", "b"));
}

TEST(InlineCommand, BlankLinesHaveNoArguments) {
  EXPECT_THAT(Split(""), IsEmpty());
  EXPECT_THAT(Split(" \t \v\f"), IsEmpty());
}

TEST(InlineCommand, VerticalTabSeparatesButDoesNotEndAWord) {
  EXPECT_THAT(Split("echo \va"), ElementsAre("echo", "a"));
  EXPECT_THAT(Split("echo a\vb"), ElementsAre("echo", "a\vb"));
}

TEST(InlineCommand, DoubleQuotesKeepSpacesAndKnowEscapes) {
  EXPECT_THAT(Split(R"(SET k "a b")"), ElementsAre("SET", "k", "a b"));
  EXPECT_THAT(Split(R"("\n\r\t\b\a")"), ElementsAre("\n\r\t\b\a"));
  EXPECT_THAT(Split(R"("\"\\\q")"), ElementsAre("\"\\q"));
  EXPECT_THAT(Split(R"("\x00\x7f\xFf\xaB")"), ElementsAre("\x00\x7f\xff\xab"s));
}

TEST(InlineCommand, WhatIsNoHexEscapeIsTakenAsItStands) {
  EXPECT_THAT(Split(R"("\x4")"), ElementsAre("x4"));
  EXPECT_THAT(Split(R"("\xg1\x1g")"), ElementsAre("xg1x1g"));
}

TEST(InlineCommand, SingleQuotesKnowOnlyTheEscapedQuote) {
  EXPECT_THAT(Split(R"('it\'s')"), ElementsAre("it's"));
  EXPECT_THAT(Split(R"('a\n\x41"')"), ElementsAre(R"(a\n\x41")"));
}

TEST(InlineCommand, QuotesMayOpenInsideAWordAndMayBeEmpty) {
  EXPECT_THAT(Split(R"(echo a"b c")"), ElementsAre("echo", "ab c"));
  EXPECT_THAT(Split(R"(a"" '' "")"), ElementsAre("a", "", ""));
}

TEST(InlineCommand, BackslashOutsideQuotesIsAByte) {
  EXPECT_THAT(Split(R"(a\nb \")"), kUnbalanced);
  EXPECT_THAT(Split(R"(a\nb \)"), ElementsAre(R"(a\nb)", "\\"));
}

TEST(InlineCommand, OpenQuotesAreUnbalanced) {
  for (const char* line : {"\"abc", "'abc", "\"", "'", "a \"b\\\"", "'a\\'", "\"a\\"})
    EXPECT_EQ(Split(line), kUnbalanced) << line;
}

TEST(InlineCommand, ClosingQuoteMustEndTheWord) {
  EXPECT_EQ(Split("\"a\"b"), kUnbalanced);
  EXPECT_EQ(Split("'a'b"), kUnbalanced);
  EXPECT_EQ(Split("'a''b'"), kUnbalanced);
  EXPECT_THAT(Split("'a'\v'b'"), ElementsAre("a", "b"));
}

TEST(InlineCommand, EveryOtherByteIsAByte) {
  std::string all;
  for (int c = 1; c < 256; ++c)
    if (std::string_view(" \t\n\v\f\r\"'").find(static_cast<char>(c)) == std::string_view::npos)
      all += static_cast<char>(c);
  EXPECT_THAT(Split("x " + all), ElementsAre("x", all));
  EXPECT_THAT(Split("a\0b c"s), ElementsAre("a\0b"s, "c"));
}

TEST(InlineCommand, UnquotedArgumentsAreViewsAndManyQuotedOnesStayGood) {
  std::string line = "bare";
  for (int i = 0; i < 1000; ++i)
    line += " \"arg " + std::to_string(i) + "\"";
  std::vector<std::string_view> args;
  std::string unquoted;
  ASSERT_EQ(SplitInline(line, args, unquoted), 1001);
  EXPECT_EQ(args[0].data(), line.data());
  for (size_t i = 0; i < 1000; ++i)
    EXPECT_EQ(args[i + 1], "arg " + std::to_string(i));
}

}  // namespace
}  // namespace cistern::resp
