#include "server/error_texts.h"

#include <gtest/gtest.h>

#include <vector>

namespace cistern::server {
namespace {

std::string Unknown(std::vector<std::string_view> args) {
  return error_texts::UnknownCommand(args);
}

TEST(ErrorTextsTest, UnknownCommandShowsNameAndArguments) {
  EXPECT_EQ(Unknown({"x", "a", "b"}),
            "ERR unknown command 'x', with args beginning with: 'a' 'b' ");
  EXPECT_EQ(Unknown({"x"}), "ERR unknown command 'x', with args beginning with: ");
}

TEST(ErrorTextsTest, LongNamesAndArgumentsAreCutAt128BytesAsInRedis) {
  const std::string longer(200, 'x');
  EXPECT_EQ(Unknown({longer}),
            "ERR unknown command '" + std::string(128, 'x') + "', with args beginning with: ");
  EXPECT_EQ(
      Unknown({"c", "abc", longer, "more"}),
      "ERR unknown command 'c', with args beginning with: 'abc' '" + std::string(122, 'x') + "' ");
}

TEST(ErrorTextsTest, ArgumentEndsAtNul) {
  EXPECT_EQ(Unknown({"c", std::string_view("a\0b", 3)}),
            "ERR unknown command 'c', with args beginning with: 'a' ");
}

TEST(ErrorTextsTest, WrongArityNamesTheCommand) {
  EXPECT_EQ(error_texts::WrongArity("get"), "ERR wrong number of arguments for 'get' command");
}

}  // namespace
}  // namespace cistern::server
