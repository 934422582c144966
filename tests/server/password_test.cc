#include "server/password.h"

#include <gtest/gtest.h>

namespace cistern::server {
namespace {

TEST(PasswordTest, OnlyTheSameIsTheSame) {
  EXPECT_TRUE(SamePassword("secret", "secret"));
  EXPECT_FALSE(SamePassword("secre", "secret"));
  EXPECT_FALSE(SamePassword("secret1", "secret"));
  EXPECT_FALSE(SamePassword("", "secret"));
  EXPECT_FALSE(SamePassword(std::string_view("a\0b", 3), "a"));
}

TEST(PasswordTest, TheOneUserIsDefault) {
  EXPECT_TRUE(MayEnter("default", "secret", "secret"));
  EXPECT_FALSE(MayEnter("root", "secret", "secret"));
  EXPECT_FALSE(MayEnter("default", "", "secret"));
  EXPECT_TRUE(MayEnter("default", "whatever", ""));
  EXPECT_FALSE(MayEnter("root", "whatever", ""));
}

}  // namespace
}  // namespace cistern::server
