// What the parser reads and allocates, counted instead of timed.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "resp/request_parser.h"
#include "tests/resp/encode.h"

namespace {
std::atomic<uint64_t> g_allocated_bytes{0};
}  // namespace

// Not inlined: else GCC sees malloc behind one of a pair and the operator behind the other, and
// warns.
[[gnu::noinline]] void* operator new(size_t size) {
  g_allocated_bytes += size;
  if (void* block = std::malloc(size > 0 ? size : 1)) return block;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, size_t) noexcept {
  std::free(block);
}

namespace cistern::resp {
namespace {

using Status = RequestParser::Status;

constexpr size_t kPage = 4096;
constexpr size_t kHundredMegabytes = 100 << 20;

// A page to read, 100 MiB that kill who reads them, a page to read.
class Minefield {
 public:
  Minefield() {
    void* block =
        mmap(nullptr, size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) std::abort();
    data_ = static_cast<char*>(block);
    if (mprotect(data_, kPage, PROT_READ | PROT_WRITE) != 0) std::abort();
    if (mprotect(tail(), kPage, PROT_READ | PROT_WRITE) != 0) std::abort();
  }
  Minefield(const Minefield&) = delete;
  Minefield& operator=(const Minefield&) = delete;
  ~Minefield() { munmap(data_, size()); }

  static constexpr size_t size() { return kPage + kHundredMegabytes + kPage; }
  char* data() { return data_; }
  char* tail() { return data_ + kPage + kHundredMegabytes; }

 private:
  char* data_;
};

TEST(RequestParserMemory, LargeBulkIsNeverReadHoweverOftenItIsAskedFor) {
  Minefield field;
  // The bulk begins at the first page's last byte but one and ends in the last page.
  std::string header = "*3\r\n$3\r\nSET\r\n$4000\r\n";
  const std::string bulk_header = "\r\n$104857610\r\n";
  const size_t bulk_begin = kPage - 2;
  header += std::string(bulk_begin - header.size() - bulk_header.size(), 'k');
  const size_t key_size = header.size() - header.find("kkk");
  header.replace(header.find("4000"), 4, std::to_string(key_size));
  header += bulk_header;
  ASSERT_EQ(header.size(), bulk_begin);
  header.copy(field.data(), header.size());
  const size_t bulk_size = 104857610;
  const size_t end = bulk_begin + bulk_size;
  field.data()[end] = '\r';
  field.data()[end + 1] = '\n';

  const std::string_view input(field.data(), end + 2);
  RequestParser parser;
  const uint64_t allocated = g_allocated_bytes;
  for (size_t there = bulk_begin; there < input.size(); there += 16 << 10) {
    ASSERT_EQ(parser.Parse(input.substr(0, there)), Status::kIncomplete);
    ASSERT_EQ(parser.bytes_wanted(), input.size() - there);
  }
  ASSERT_EQ(parser.Parse(input), Status::kRequest);
  EXPECT_LT(g_allocated_bytes - allocated, 1000u);
  ASSERT_EQ(parser.args().size(), 3u);
  EXPECT_EQ(parser.args()[2].size(), bulk_size);
  EXPECT_EQ(parser.args()[2].data(), field.data() + bulk_begin);
}

TEST(RequestParserMemory, FollowingBytesWantedALargeBulkTakesThreeCalls) {
  Minefield field;
  const std::string header = "*2\r\n$1\r\nk\r\n$104857600\r\n";
  header.copy(field.data() + kPage - header.size(), header.size());
  field.tail()[0] = '\r';
  field.tail()[1] = '\n';
  const char* begin = field.data() + kPage - header.size();
  RequestParser parser;
  size_t there = 1;
  std::vector<size_t> wanted;
  while (parser.Parse({begin, there}) == Status::kIncomplete) {
    wanted.push_back(parser.bytes_wanted());
    there = there == 1 ? header.size() : there + parser.bytes_wanted();
  }
  EXPECT_EQ(wanted, (std::vector<size_t>{1, kHundredMegabytes + 2}));
  EXPECT_EQ(parser.consumed(), there);
}

TEST(RequestParserMemory, ParsedBytesAreNotReadAgain) {
  std::string input = Encode({"SET", "key", "value"});
  const std::string whole = input;
  RequestParser parser;
  // Up to the third argument's length; then all before it is replaced by what would be an error.
  const size_t parsed = whole.find("$5");
  ASSERT_EQ(parser.Parse(std::string_view(input).substr(0, parsed)), Status::kIncomplete);
  input.replace(0, parsed, parsed, '!');
  ASSERT_EQ(parser.Parse(input), Status::kRequest);
  EXPECT_EQ(parser.args()[2], "value");
  EXPECT_EQ(parser.args()[0], "!!!");
}

TEST(RequestParserMemory, DeclaredLengthsAllocateNothing) {
  RequestParser parser;
  const uint64_t allocated = g_allocated_bytes;
  ASSERT_EQ(parser.Parse("*1048576\r\n"), Status::kIncomplete);
  ASSERT_EQ(parser.Parse("*1048576\r\n$536870912\r\nabc"), Status::kIncomplete);
  EXPECT_EQ(g_allocated_bytes, allocated);
  EXPECT_EQ(parser.allocated_bytes(), 0u);
}

TEST(RequestParserMemory, MemoryGrowsWithArgumentsThatCame) {
  RequestParser parser;
  std::string input = "*1048576\r\n";
  for (int i = 0; i < 1000; ++i)
    input += "$1\r\na\r\n";
  const uint64_t allocated = g_allocated_bytes;
  ASSERT_EQ(parser.Parse(input), Status::kIncomplete);
  EXPECT_LT(g_allocated_bytes - allocated, 1000u * 64);
}

TEST(RequestParserMemory, SteadyStateAllocatesNothing) {
  const std::string whole = Encode({"SET", "key", std::string(100, 'v')});
  const std::string many = Encode(std::vector<std::string>(500, "key"));
  const std::string inline_request = "SET \"some key with spaces\" 'and a value, too'\r\n";
  RequestParser parser;
  const auto round = [&] {
    ASSERT_EQ(parser.Parse(whole), Status::kRequest);
    ASSERT_EQ(parser.Parse(std::string_view(whole).substr(0, 30)), Status::kIncomplete);
    ASSERT_EQ(parser.Parse(whole), Status::kRequest);
    ASSERT_EQ(parser.Parse(many), Status::kRequest);
    ASSERT_EQ(parser.Parse(inline_request), Status::kRequest);
  };
  round();
  const uint64_t allocated = g_allocated_bytes;
  for (int i = 0; i < 100; ++i)
    round();
  EXPECT_EQ(g_allocated_bytes, allocated);
}

TEST(RequestParserMemory, LargeRequestsGiveTheirMemoryBack) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse(Encode(std::vector<std::string>(100'000, "a"))), Status::kRequest);
  EXPECT_GT(parser.allocated_bytes(), 100'000u * 16);
  ASSERT_EQ(parser.Parse("\"" + std::string(60'000, 'a') + "\"\n"), Status::kRequest);
  EXPECT_LT(parser.allocated_bytes(), 70'000u);
  ASSERT_EQ(parser.Parse("PING\r\n"), Status::kRequest);
  EXPECT_LT(parser.allocated_bytes(), 1000u);
}

}  // namespace
}  // namespace cistern::resp
