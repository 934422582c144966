// However the bytes are cut, and wherever they lie, the same requests come out.
#include <gtest/gtest.h>

#include <random>

#include "tests/resp/encode.h"
#include "tests/resp/feed.h"

namespace cistern::resp {
namespace {

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  size_t Below(size_t limit) { return random_() % limit; }

  // Short ones mostly, of any bytes or of those that mean something to the protocol.
  std::string Bytes() {
    std::string bytes(Below(10) == 0 ? Below(300) : Below(12), 0);
    const bool is_nasty = Below(3) == 0;
    for (char& c : bytes)
      c = is_nasty ? "\r\n*$\"'\\ 01"[Below(10)] : static_cast<char>(Below(256));
    return bytes;
  }

  Request AnyRequest() {
    Request request(1 + (Below(8) == 0 ? Below(40) : Below(5)));
    for (auto& arg : request)
      arg = Bytes();
    return request;
  }

  // As an inline command, every argument in quotes of either kind.
  std::string EncodeInline(const Request& request) {
    std::string line;
    for (const auto& arg : request) {
      const bool can_be_single = arg.find_first_of("\n\\") == std::string::npos;
      line += can_be_single && Below(2) == 0 ? SingleQuoted(arg) : DoubleQuoted(arg);
      line.append(1 + Below(2), ' ');
    }
    return line + (Below(2) == 0 ? "\n" : "\r\n");
  }

  std::string Skipped() {
    const char* const kinds[] = {"\r\n", "\n", "*0\r\n", "*-1\r\n", " \r\n"};
    return kinds[Below(5)];
  }

 private:
  static std::string SingleQuoted(const std::string& arg) {
    std::string quoted = "'";
    for (const char c : arg) {
      if (c == '\'') quoted += '\\';
      quoted += c;
    }
    return quoted + "'";
  }

  static std::string DoubleQuoted(const std::string& arg) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : arg) {
      const auto byte = static_cast<unsigned char>(c);
      quoted.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
    return quoted + "\"";
  }

  std::mt19937_64 random_;
};

struct Script {
  std::string bytes;
  Outcome expected;
};

Script MakeScript(Generator& generator) {
  Script script;
  for (size_t i = 0, count = 1 + generator.Below(12); i < count; ++i) {
    if (generator.Below(5) == 0) script.bytes += generator.Skipped();
    script.expected.requests.push_back(generator.AnyRequest());
    const Request& request = script.expected.requests.back();
    script.bytes += generator.Below(4) == 0 ? generator.EncodeInline(request) : Encode(request);
  }
  if (generator.Below(2) == 0) {  // and a piece of one more
    const std::string more = Encode(generator.AnyRequest());
    script.expected.left = generator.Below(more.size());
    script.bytes += more.substr(0, script.expected.left);
  }
  return script;
}

class RequestParserProperty : public testing::TestWithParam<uint64_t> {};

TEST_P(RequestParserProperty, FeedingDoesNotMatter) {
  Generator generator(GetParam());
  for (int round = 0; round < 12; ++round) {
    const Script script = MakeScript(generator);
    ASSERT_EQ(FeedWhole(script.bytes), script.expected);
    ASSERT_EQ(FeedByteByByte(script.bytes), script.expected);
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(Feed(script.bytes, {},
                     [&](size_t left) { return 1 + generator.Below(std::min<size_t>(left, 50)); }),
                script.expected);
    }
  }
}

TEST_P(RequestParserProperty, EverySplitGivesTheSame) {
  Generator generator(GetParam() + 1000);
  const Script script = MakeScript(generator);
  for (size_t split = 1; split < script.bytes.size(); ++split)
    ASSERT_EQ(FeedSplitAt(script.bytes, split), script.expected) << split;
}

// Damaged input: nobody says what must come out, but it must be the same at every split.
TEST_P(RequestParserProperty, EverySplitOfDamagedBytesGivesTheSame) {
  Generator generator(GetParam() + 2000);
  Limits limits;
  limits.max_line_bytes = 100;
  limits.max_elements = 30;
  limits.max_bulk_bytes = 250;
  for (int round = 0; round < 20; ++round) {
    std::string bytes = MakeScript(generator).bytes.substr(0, 400);
    for (size_t i = 0, count = 1 + generator.Below(3); i < count; ++i)
      bytes[generator.Below(bytes.size())] = "\r\n*$-\"'x09"[generator.Below(10)];
    const Outcome whole = FeedWhole(bytes, limits);
    ASSERT_EQ(FeedByteByByte(bytes, limits), whole);
    for (size_t split = 1; split < bytes.size(); split += 3)
      ASSERT_EQ(FeedSplitAt(bytes, split, limits), whole) << split;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RequestParserProperty, testing::Range<uint64_t>(1, 21));

}  // namespace
}  // namespace cistern::resp
