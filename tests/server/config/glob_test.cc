#include "server/config/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace cistern::server {
namespace {

TEST(GlobTest, WithoutSpecialBytesItIsEquality) {
  EXPECT_TRUE(GlobMatch("maxmemory", "maxmemory"));
  EXPECT_FALSE(GlobMatch("maxmemory", "maxmemory-policy"));
  EXPECT_FALSE(GlobMatch("maxmemory", "maxmemor"));
  EXPECT_TRUE(GlobMatch("", ""));
  EXPECT_FALSE(GlobMatch("", "a"));
  EXPECT_FALSE(GlobMatch("a", ""));
}

TEST(GlobTest, AStarStandsForAnything) {
  EXPECT_TRUE(GlobMatch("*", ""));
  EXPECT_TRUE(GlobMatch("*", "anything"));
  EXPECT_TRUE(GlobMatch("server.*", "server.memory"));
  EXPECT_TRUE(GlobMatch("*mem*", "server.memory"));
  EXPECT_TRUE(GlobMatch("a*b*c", "axxbxbxc"));
  EXPECT_FALSE(GlobMatch("a*b*c", "axxbxbx"));
  EXPECT_TRUE(GlobMatch("**a**", "a"));
}

TEST(GlobTest, AQuestionMarkStandsForOneByte) {
  EXPECT_TRUE(GlobMatch("h?llo", "hello"));
  EXPECT_FALSE(GlobMatch("h?llo", "hllo"));
  EXPECT_FALSE(GlobMatch("?", ""));
}

TEST(GlobTest, ClassesListRangesAndNegation) {
  EXPECT_TRUE(GlobMatch("h[ae]llo", "hallo"));
  EXPECT_FALSE(GlobMatch("h[ae]llo", "hillo"));
  EXPECT_TRUE(GlobMatch("h[^e]llo", "hallo"));
  EXPECT_FALSE(GlobMatch("h[^e]llo", "hello"));
  EXPECT_TRUE(GlobMatch("h[a-b]llo", "hbllo"));
  EXPECT_TRUE(GlobMatch("h[b-a]llo", "hbllo"));
  EXPECT_FALSE(GlobMatch("h[a-b]llo", "hcllo"));
  EXPECT_TRUE(GlobMatch("[\\]]", "]"));
  EXPECT_TRUE(GlobMatch("[\xf0-\xff]", "\xf5"));
}

TEST(GlobTest, ABackslashTakesTheNextByteAsItIs) {
  EXPECT_TRUE(GlobMatch("a\\*b", "a*b"));
  EXPECT_FALSE(GlobMatch("a\\*b", "axb"));
  EXPECT_TRUE(GlobMatch("a\\", "a\\"));
}

TEST(GlobTest, BrokenClassesEndWithThePattern) {
  EXPECT_TRUE(GlobMatch("[ab", "a"));
  EXPECT_FALSE(GlobMatch("[ab", "c"));
  EXPECT_FALSE(GlobMatch("[", "["));
  EXPECT_FALSE(GlobMatch("[]", "a"));
  EXPECT_TRUE(GlobMatch("[^", "a"));
}

TEST(GlobTest, ManyStarsOnALongTextEndSoon) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i)
    pattern += "*a";
  // Backtracking over every star would take longer than the world is old.
  EXPECT_FALSE(GlobMatch(pattern + "b", std::string(10000, 'a')));
}

}  // namespace
}  // namespace cistern::server
