#include "resp/plain_requests.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/resp/encode.h"

namespace cistern::resp {
namespace {

class PlainRequestsTest : public testing::Test {
 protected:
  // Of one reader over `bytes`: the requests, joined by spaces, with a "+" where they repeat.
  std::vector<std::string> Read(std::string_view bytes, size_t most_args = 8) {
    PlainRequests plain(bytes, head_, most_args, 100);
    std::vector<std::string> requests;
    std::string_view args[PlainRequests::kMostArgs];
    while (const size_t count = plain.Next(args)) {
      std::string text(plain.repeats() ? "+" : "");
      for (size_t i = 0; i < count; ++i)
        text.append(i == 0 ? "" : " ").append(args[i]);
      requests.push_back(text);
    }
    left_ = bytes.size() - plain.consumed();
    return requests;
  }

  using Texts = std::vector<std::string>;

  RequestHead head_;
  size_t left_ = 0;
};

TEST_F(PlainRequestsTest, ANameIsKnownAgainFromReaderToReader) {
  EXPECT_EQ(Read(Encode({"GET", "key:1"}) + Encode({"GET", "key:2"})),
            (Texts{"GET key:1", "+GET key:2"}));
  EXPECT_EQ(Read(Encode({"GET", "key:3"})), (Texts{"+GET key:3"}));
}

TEST_F(PlainRequestsTest, AnotherNameOrCaseOrNumberOfArgumentsIsNoRepetition) {
  EXPECT_EQ(Read(Encode({"GET", "key:1"}) + Encode({"get", "key:1"}) + Encode({"GET", "a", "b"}) +
                 Encode({"GETX", "key:1"}) + Encode({"SET", "a", "b"})),
            (Texts{"GET key:1", "get key:1", "GET a b", "GETX key:1", "SET a b"}));
}

TEST_F(PlainRequestsTest, LongNamesAreReadButNotRemembered) {
  const std::string request = Encode({"PEXPIRETIME", "k"});
  EXPECT_EQ(Read(request + request), (Texts{"PEXPIRETIME k", "PEXPIRETIME k"}));
}

TEST_F(PlainRequestsTest, WhatIsNotTakenLeavesNoTrace) {
  Read(Encode({"GET", "key:1"}));
  const std::string other = Encode({"DEL", "key:1"});
  EXPECT_EQ(Read(other.substr(0, other.size() - 1)), Texts());
  EXPECT_EQ(left_, other.size() - 1);
  EXPECT_EQ(Read(Encode({"GET", "key:2"})), (Texts{"+GET key:2"}));
  EXPECT_EQ(Read(other), (Texts{"DEL key:1"}));
}

TEST_F(PlainRequestsTest, ARememberedRequestKeepsToTheLimitsOfThisOne) {
  Read(Encode({"SET", "key:1", "v"}));
  EXPECT_EQ(Read(Encode({"SET", "key:1", "v"}), 2), Texts());
  EXPECT_EQ(Read(Encode({"SET", "key:1", std::string(101, 'v')})), Texts());
}

TEST_F(PlainRequestsTest, StopsBeforeWhatIsNotPlain) {
  for (const std::string& rest :
       {std::string("PING\r\n"), std::string("*0\r\n"), std::string("*9\r\n"),
        std::string("*1\r\n$-1\r\n"), std::string("*1\r\n$04\r\nPING\r\n"),
        std::string("*1\r\n$4\r\nPING\r"), std::string("*1\r\n$4\r\nPING!!"),
        std::string("*1\r\n:4\r\n"), std::string("*1\r\n$9999999\r\n")}) {
    EXPECT_EQ(Read(Encode({"GET", "k"}) + rest).size(), 1U) << rest;
    EXPECT_EQ(left_, rest.size()) << rest;
  }
}

}  // namespace
}  // namespace cistern::resp
