#include "resp/reply_writer.h"

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <cstdlib>
#include <limits>
#include <memory>
#include <random>

namespace cistern::resp {
namespace {

using std::string_literals::operator""s;

template <class Write>
std::string Written(Protocol protocol, Write write) {
  std::string output;
  ReplyWriter writer(output, protocol);
  write(writer);
  return output;
}

struct Case {
  const char* name;
  void (*write)(ReplyWriter&);
  std::string resp2;
  std::string resp3;
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const Case kCases[] = {
    {"SimpleString", [](ReplyWriter& w) { w.SimpleString("OK"); }, "+OK\r\n", "+OK\r\n"},
    {"Error", [](ReplyWriter& w) { w.Error("ERR syntax error"); }, "-ERR syntax error\r\n",
     "-ERR syntax error\r\n"},
    {"Integer", [](ReplyWriter& w) { w.Integer(-42); }, ":-42\r\n", ":-42\r\n"},
    {"Bulk", [](ReplyWriter& w) { w.Bulk("value"); }, "$5\r\nvalue\r\n", "$5\r\nvalue\r\n"},
    {"EmptyBulk", [](ReplyWriter& w) { w.Bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
    {"Null", [](ReplyWriter& w) { w.Null(); }, "$-1\r\n", "_\r\n"},
    {"NullArray", [](ReplyWriter& w) { w.NullArray(); }, "*-1\r\n", "_\r\n"},
    {"Double", [](ReplyWriter& w) { w.Double(0.1); }, "$3\r\n0.1\r\n", ",0.1\r\n"},
    {"WholeDouble", [](ReplyWriter& w) { w.Double(-3); }, "$2\r\n-3\r\n", ",-3\r\n"},
    {"Infinity", [](ReplyWriter& w) { w.Double(kInfinity); }, "$3\r\ninf\r\n", ",inf\r\n"},
    {"MinusInfinity", [](ReplyWriter& w) { w.Double(-kInfinity); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
    {"Nan", [](ReplyWriter& w) { w.Double(-kNan); }, "$3\r\nnan\r\n", ",nan\r\n"},
    {"True", [](ReplyWriter& w) { w.Boolean(true); }, ":1\r\n", "#t\r\n"},
    {"False", [](ReplyWriter& w) { w.Boolean(false); }, ":0\r\n", "#f\r\n"},
    {"BigNumber", [](ReplyWriter& w) { w.BigNumber("-98765432109876543210"); },
     "$21\r\n-98765432109876543210\r\n", "(-98765432109876543210\r\n"},
    {"Verbatim", [](ReplyWriter& w) { w.Verbatim("txt", "a\r\nb"); }, "$4\r\na\r\nb\r\n",
     "=8\r\ntxt:a\r\nb\r\n"},
    {"Array", [](ReplyWriter& w) { w.Array(3); }, "*3\r\n", "*3\r\n"},
    {"EmptyArray", [](ReplyWriter& w) { w.Array(0); }, "*0\r\n", "*0\r\n"},
    {"Map", [](ReplyWriter& w) { w.Map(3); }, "*6\r\n", "%3\r\n"},
    {"Set", [](ReplyWriter& w) { w.Set(3); }, "*3\r\n", "~3\r\n"},
    {"Push", [](ReplyWriter& w) { w.Push(2); }, "*2\r\n", ">2\r\n"},
    {"BulkHeader", [](ReplyWriter& w) { w.BulkHeader(536870912); }, "$536870912\r\n",
     "$536870912\r\n"},
    {"BulkTail", [](ReplyWriter& w) { w.BulkTail(); }, "\r\n", "\r\n"},
};

TEST(ReplyWriter, EveryTypeInBothProtocols) {
  for (const Case& c : kCases) {
    EXPECT_EQ(Written(Protocol::kResp2, c.write), c.resp2) << c.name;
    EXPECT_EQ(Written(Protocol::kResp3, c.write), c.resp3) << c.name;
  }
}

TEST(ReplyWriter, AppendsToWhatIsThere) {
  std::string output = "+before\r\n";
  ReplyWriter writer(output, Protocol::kResp2);
  writer.Null();
  writer.set_protocol(Protocol::kResp3);
  writer.Null();
  EXPECT_EQ(output, "+before\r\n$-1\r\n_\r\n");
}

TEST(ReplyWriter, LineEndsInsideErrorsAndSimpleStringsBecomeSpaces) {
  const auto write = [](ReplyWriter& w) {
    w.Error("ERR unknown command 'a\r\n+OK\r\n'");
    w.SimpleString("\na\rb\n");
  };
  EXPECT_EQ(Written(Protocol::kResp2, write), "-ERR unknown command 'a  +OK  '\r\n+ a b \r\n");
}

TEST(ReplyWriter, ExtremeIntegers) {
  const auto write = [](ReplyWriter& w) {
    w.Integer(std::numeric_limits<int64_t>::min());
    w.Integer(std::numeric_limits<int64_t>::max());
    w.Integer(0);
    w.BulkHeader(std::numeric_limits<uint64_t>::max());
  };
  EXPECT_EQ(Written(Protocol::kResp2, write),
            ":-9223372036854775808\r\n:9223372036854775807\r\n:0\r\n$18446744073709551615\r\n");
}

TEST(ReplyWriter, DoublesReadBackAsTheyWere) {
  for (const double value :
       {1e300, -1.7976931348623157e308, 5e-324, 1.0 / 3, 1e21, 123456789.125}) {
    const std::string text = Written(Protocol::kResp3, [&](ReplyWriter& w) { w.Double(value); });
    EXPECT_EQ(std::strtod(text.c_str() + 1, nullptr), value) << text;
  }
}

TEST(ReplyWriter, BulksOfEverySizeAroundTheInlineLimit) {
  for (size_t size = 0; size < 600; ++size) {
    const std::string bytes(size, static_cast<char>(size));
    EXPECT_EQ(Written(Protocol::kResp3, [&](ReplyWriter& w) { w.Bulk(bytes); }),
              "$" + std::to_string(size) + "\r\n" + bytes + "\r\n");
  }
}

TEST(ReplyWriter, BulkInPartsIsTheSameBulk) {
  const std::string bytes(5000, 'x');
  const auto in_parts = [&](ReplyWriter& w) {
    w.BulkHeader(bytes.size());
    w.output() += bytes;
    w.BulkTail();
  };
  EXPECT_EQ(Written(Protocol::kResp2, in_parts),
            Written(Protocol::kResp2, [&](ReplyWriter& w) { w.Bulk(bytes); }));
}

// hiredis is the judge: a random tree of replies, and what it must read in RESP2.
class Tree {
 public:
  explicit Tree(uint64_t seed) : random_(seed) {}

  void Write(ReplyWriter& writer, int depth) {
    switch (random_() % (depth < 4 ? 9 : 6)) {
      case 0:
        return Leaf("i-77", [&] { writer.Integer(-77); });
      case 1: {
        std::string bytes(random_() % 400, 0);
        for (char& c : bytes)
          c = static_cast<char>(random_());
        return Leaf("b" + bytes, [&] { writer.Bulk(bytes); });
      }
      case 2:
        return Leaf("n", [&] { writer.Null(); });
      case 3:
        return Leaf("eERR a  b", [&] { writer.Error("ERR a\r\nb"); });
      case 4:
        return Leaf("sOK", [&] { writer.SimpleString("OK"); });
      case 5:
        return Leaf("b1.5", [&] { writer.Double(1.5); });
      case 6:
        return Many(writer, depth, 1, [&](uint64_t n) { writer.Array(n); });
      case 7:
        return Many(writer, depth, 2, [&](uint64_t n) { writer.Map(n); });
      default:
        return Many(writer, depth, 1, [&](uint64_t n) { writer.Set(n); });
    }
  }

  const std::string& expected() const { return expected_; }

 private:
  template <class F>
  void Leaf(const std::string& expected, F write) {
    expected_ += expected + ";";
    write();
  }

  template <class F>
  void Many(ReplyWriter& writer, int depth, uint64_t each, F header) {
    const uint64_t count = random_() % 4;
    expected_ += "[";
    header(count);
    for (uint64_t i = 0; i < count * each; ++i)
      Write(writer, depth + 1);
    expected_ += "]";
  }

  std::mt19937_64 random_;
  std::string expected_;
};

std::string Shown(const redisReply& reply) {
  const std::string text(reply.str == nullptr ? "" : reply.str,
                         reply.str == nullptr ? 0 : reply.len);
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return "i" + std::to_string(reply.integer) + ";";
    case REDIS_REPLY_STRING:
      return "b" + text + ";";
    case REDIS_REPLY_STATUS:
      return "s" + text + ";";
    case REDIS_REPLY_ERROR:
      return "e" + text + ";";
    case REDIS_REPLY_NIL:
      return "n;";
    default:
      break;
  }
  std::string all = "[";
  for (size_t i = 0; i < reply.elements; ++i)
    all += Shown(*reply.element[i]);
  return all + "]";
}

TEST(ReplyWriter, HiredisReadsWhatWasWritten) {
  const std::unique_ptr<redisReader, void (*)(redisReader*)> reader(redisReaderCreate(),
                                                                    redisReaderFree);
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    Tree tree(seed);
    const std::string bytes =
        Written(Protocol::kResp2, [&](ReplyWriter& writer) { tree.Write(writer, 0); });
    ASSERT_EQ(redisReaderFeed(reader.get(), bytes.data(), bytes.size()), REDIS_OK);
    void* reply = nullptr;
    ASSERT_EQ(redisReaderGetReply(reader.get(), &reply), REDIS_OK);
    ASSERT_NE(reply, nullptr) << bytes;
    EXPECT_EQ(Shown(*static_cast<redisReply*>(reply)), tree.expected());
    freeReplyObject(reply);
  }
}

}  // namespace
}  // namespace cistern::resp
