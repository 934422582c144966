#include "resp/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/resp/encode.h"
#include "tests/resp/feed.h"

namespace cistern::resp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Status = RequestParser::Status;
using std::string_literals::operator""s;

std::vector<Request> Requests(std::string_view bytes) {
  const Outcome outcome = FeedWhole(bytes);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.left, 0u);
  return outcome.requests;
}

// The error, which must be the same however the bytes come.
std::string ErrorOf(std::string_view bytes, const Limits& limits = {}) {
  const Outcome outcome = FeedWhole(bytes, limits);
  if (bytes.size() < 2000) {
    EXPECT_EQ(FeedByteByByte(bytes, limits), outcome);
  }
  return outcome.error;
}

Limits BeforeAuthentication() {
  Limits limits;
  limits.authenticated = false;
  return limits;
}

TEST(RequestParser, ArraysOfBulkStringsAreRequests) {
  EXPECT_THAT(Requests("*2\r\n$3\r\nGET\r\n$7\r\nuser:42\r\n*1\r\n$4\r\nPING\r\n"),
              ElementsAre(ElementsAre("GET", "user:42"), ElementsAre("PING")));
}

TEST(RequestParser, ManyArgumentsAndLargeOnes) {
  Request request;
  for (int i = 0; i < 3000; ++i)
    request.push_back(std::string(static_cast<size_t>(i) * 7 % 500, 'a'));
  request.push_back(std::string(1'234'567, 'b'));
  EXPECT_THAT(Requests(Encode(request)), ElementsAre(request));
}

TEST(RequestParser, ArgumentsHoldEveryByteAndMayBeEmpty) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  const Request request = {"SET", "", all, all + all, "\r\n", "$3\r\n"};
  EXPECT_THAT(Requests(Encode(request)), ElementsAre(request));
}

TEST(RequestParser, EmptyRequestsAreSkippedInSilence) {
  EXPECT_THAT(Requests("*0\r\n*-1\r\n*-7\r\n\r\n\n  \r\n"), IsEmpty());
  EXPECT_THAT(Requests("*0\r\n\r\n*1\r\n$4\r\nPING\r\n\nPING\n"),
              ElementsAre(ElementsAre("PING"), ElementsAre("PING")));
}

TEST(RequestParser, SkippedBytesAreConsumedWhileIncomplete) {
  RequestParser parser;
  EXPECT_EQ(parser.Parse("\r\n*0\r\n*1\r\n$4"), Status::kIncomplete);
  EXPECT_EQ(parser.consumed(), 6u);
  EXPECT_EQ(parser.Parse("*1\r\n$4\r\nPING\r\nrest"), Status::kRequest);
  EXPECT_EQ(parser.consumed(), 14u);
}

TEST(RequestParser, InlineLinesEndWithOrWithoutCarriageReturn) {
  EXPECT_THAT(
      Requests("PING\r\nGET a\nSET k \"x \\x00\"\r\n"),
      ElementsAre(ElementsAre("PING"), ElementsAre("GET", "a"), ElementsAre("SET", "k", "x \0"s)));
}

TEST(RequestParser, FirstWordOfHttpComesOutUnharmed) {
  EXPECT_THAT(
      Requests("POST / HTTP/1.1\r\nHost: localhost:6379\r\n\r\n"),
      ElementsAre(ElementsAre("POST", "/", "HTTP/1.1"), ElementsAre("Host:", "localhost:6379")));
}

TEST(RequestParser, TruncatedRequestsAreIncomplete) {
  const std::string whole = Encode({"SET", "key", "0123456789"});
  for (size_t size = 0; size < whole.size(); ++size) {
    RequestParser parser;
    EXPECT_EQ(parser.Parse(std::string_view(whole).substr(0, size)), Status::kIncomplete) << size;
    EXPECT_EQ(parser.consumed(), 0u);
    EXPECT_GE(parser.bytes_wanted(), 1u);
    EXPECT_LE(parser.bytes_wanted(), whole.size() - size);
  }
}

TEST(RequestParser, EachErrorInRedisWords) {
  const std::string count = "Protocol error: invalid multibulk length";
  for (const char* line : {"*x", "*", "*-", "*+1", "* 1", "*1 ", "*01", "*00", "*-0", "*-01", "*1x",
                           "*1048577", "*2147483648", "*9223372036854775808", "*1\n$"})
    EXPECT_EQ(ErrorOf(line + "\r\n"s), count) << line;
  EXPECT_EQ(ErrorOf("*1\r$4\r\nPING\r\n"), count);

  const std::string bulk = "Protocol error: invalid bulk length";
  for (const char* line : {"$x", "$", "$-1", "$+1", "$ 1", "$01", "$00", "$536870913",
                           "$9223372036854775808", "$99999999999999999999999"})
    EXPECT_EQ(ErrorOf("*1\r\n"s + line + "\r\n"), bulk) << line;
  EXPECT_EQ(ErrorOf("*1\r\n$4\rPING\r\n"), bulk);
  // Also when all that it announces is there.
  EXPECT_EQ(ErrorOf("*1\r\n$04\r\nPING\r\n"), bulk);
  EXPECT_EQ(ErrorOf("*1\r\n$4 \r\nPING\r\n"), bulk);

  EXPECT_EQ(ErrorOf("*1\r\nx\r\n"), "Protocol error: expected '$', got 'x'");
  EXPECT_EQ(ErrorOf("*1\r\n\r"), "Protocol error: expected '$', got '\r'");
  EXPECT_EQ(ErrorOf("GET \"abc\r\n"), "Protocol error: unbalanced quotes in request");
}

TEST(RequestParser, NestedArraysAreRefused) {
  EXPECT_EQ(ErrorOf("*1\r\n*1\r\n$4\r\nPING\r\n"), "Protocol error: expected '$', got '*'");
}

TEST(RequestParser, BulkMustBeFollowedByLineEnd) {
  EXPECT_EQ(ErrorOf("*1\r\n$4\r\nPINGxx"), "Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$4\r\nPING\rx"), "Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$3\r\nPING\r\n"), "Protocol error: invalid bulk length");
}

TEST(RequestParser, LinesWithoutEndAreTooBig) {
  const std::string digits(64 << 10, '1');
  EXPECT_EQ(ErrorOf("*" + digits), "Protocol error: too big mbulk count string");
  EXPECT_EQ(ErrorOf("*1\r\n$" + digits), "Protocol error: too big bulk count string");
  EXPECT_EQ(ErrorOf("a" + digits), "Protocol error: too big inline request");
  EXPECT_EQ(ErrorOf("a" + digits + "\r\n"), "Protocol error: too big inline request");
  EXPECT_THAT(Requests(digits + "\n"), ElementsAre(ElementsAre(digits)));
}

TEST(RequestParser, RequestsBeforeAnErrorComeOut) {
  const Outcome outcome = FeedWhole("PING\r\n*1\r\n$2\r\nhi\r\n*x\r\nPING\r\n");
  EXPECT_THAT(outcome.requests, ElementsAre(ElementsAre("PING"), ElementsAre("hi")));
  EXPECT_EQ(outcome.error, "Protocol error: invalid multibulk length");
}

TEST(RequestParser, AnErrorIsFinal) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse("*x\r\n"), Status::kError);
  EXPECT_EQ(parser.Parse("*1\r\n$4\r\nPING\r\n"), Status::kError);
  EXPECT_EQ(parser.consumed(), 0u);
  EXPECT_EQ(parser.error().kind, ProtocolError::Kind::kMultibulkLength);
}

TEST(RequestParser, LimitsAreInclusive) {
  Limits limits;
  limits.max_elements = 2;
  limits.max_bulk_bytes = 3;
  EXPECT_THAT(FeedWhole(Encode({"abc", "abc"}), limits).requests, ElementsAre(Request(2, "abc")));
  EXPECT_EQ(ErrorOf(Encode({"a", "b", "c"}), limits), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf(Encode({"abcd"}), limits), "Protocol error: invalid bulk length");
}

TEST(RequestParser, DefaultLimitsAreTheDocumentedOnes) {
  RequestParser parser;
  EXPECT_EQ(parser.Parse("*1048576\r\n$536870912\r\n"), Status::kIncomplete);
}

TEST(RequestParser, LimitsAreStricterBeforeAuthentication) {
  const Limits limits = BeforeAuthentication();
  EXPECT_EQ(ErrorOf(Encode(Request(10, "a")), limits), "");
  EXPECT_EQ(ErrorOf(Encode(Request(11, "a")), limits),
            "Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(ErrorOf(Encode({std::string(16384, 'a')}), limits), "");
  EXPECT_EQ(ErrorOf("*1\r\n$16385\r\n", limits), "Protocol error: unauthenticated bulk length");
  // What nobody may send is called so, as in Redis.
  EXPECT_EQ(ErrorOf("*2147483648\r\n", limits), "Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$536870913\r\n", limits), "Protocol error: invalid bulk length");
}

TEST(RequestParser, LimitsChangeBetweenRequests) {
  const std::string large = Encode(Request(11, std::string(20000, 'a')));
  const std::string input = Encode({"AUTH", "secret"}) + large;
  RequestParser parser(BeforeAuthentication());
  ASSERT_EQ(parser.Parse(input), Status::kRequest);
  const size_t auth_size = parser.consumed();
  parser.set_limits(Limits());
  ASSERT_EQ(parser.Parse(std::string_view(input).substr(auth_size)), Status::kRequest);
  EXPECT_EQ(parser.args().size(), 11u);
  EXPECT_EQ(parser.consumed(), large.size());
}

TEST(RequestParser, ArgumentsAreViewsOfTheInputAndOutliveLaterCalls) {
  const std::string input = Encode({"GET", "first"}) + "GET second\r\n";
  RequestParser parser;
  ASSERT_EQ(parser.Parse(input), Status::kRequest);
  const std::string_view first = parser.args()[1];
  EXPECT_FALSE(parser.args_are_own());
  ASSERT_EQ(parser.Parse(std::string_view(input).substr(parser.consumed())), Status::kRequest);
  EXPECT_FALSE(parser.args_are_own());
  EXPECT_EQ(first, "first");
  EXPECT_EQ(first.data(), input.data() + input.find("first"));
  EXPECT_EQ(parser.args()[1].data(), input.data() + input.find("second"));
}

TEST(RequestParser, QuotedInlineArgumentsBelongToTheParserUntilTheNextCall) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse("SET \"a b\" c\n"), Status::kRequest);
  EXPECT_TRUE(parser.args_are_own());
  EXPECT_THAT(parser.args(), ElementsAre("SET", "a b", "c"));
  ASSERT_EQ(parser.Parse("PING\n"), Status::kRequest);
  EXPECT_FALSE(parser.args_are_own());
}

TEST(RequestParser, BytesWantedKnowsTheRestOfABulk) {
  const std::string input = Encode({"SET", "k", std::string(100'000, 'v')});
  RequestParser parser;
  const size_t header = input.find("vvv");
  ASSERT_EQ(parser.Parse(std::string_view(input).substr(0, header + 10)), Status::kIncomplete);
  EXPECT_EQ(parser.bytes_wanted(), 100'000u - 10 + 2);
  ASSERT_EQ(parser.Parse(std::string_view(input).substr(0, input.size() - 1)), Status::kIncomplete);
  EXPECT_EQ(parser.bytes_wanted(), 1u);
  EXPECT_EQ(parser.Parse(input), Status::kRequest);
}

}  // namespace
}  // namespace cistern::resp
