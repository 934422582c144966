#include "server/input_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace cistern::server {
namespace {

void Read(InputBuffer& buffer, std::string_view bytes, size_t wanted) {
  while (!bytes.empty()) {
    const std::span<char> room = buffer.Room(wanted);
    ASSERT_FALSE(room.empty());
    const size_t part = std::min(bytes.size(), room.size());
    std::memcpy(room.data(), bytes.data(), part);
    buffer.Commit(part);
    bytes.remove_prefix(part);
  }
}

TEST(InputBufferTest, CostsNothingWhileEmpty) {
  InputBuffer buffer;
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.Assign("abc");
  buffer.Drop(3);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(InputBufferTest, KeepsWhatIsNotDropped) {
  InputBuffer buffer;
  buffer.Assign("abcdef");
  buffer.Drop(2);
  Read(buffer, "ghi", 1);
  EXPECT_EQ(buffer.view(), "cdefghi");
}

TEST(InputBufferTest, AllocatesNoMoreThanTwiceWhatHasCome) {
  InputBuffer buffer;
  buffer.Assign("$500000000");
  const std::string all(4 << 20, 'x');
  for (size_t at = 0; at < all.size(); at += 10'000) {
    Read(buffer, std::string_view(all).substr(at, 10'000), 500'000'000);
    ASSERT_LE(buffer.capacity(), 2 * buffer.size() + InputBuffer::kFirstRoom);
  }
  EXPECT_EQ(buffer.view(), "$500000000" + all);
}

TEST(InputBufferTest, GivesBackMemoryWhenLittleIsLeft) {
  InputBuffer buffer;
  Read(buffer, std::string(1 << 20, 'x') + "rest", 1 << 20);
  buffer.Drop(1 << 20);
  EXPECT_EQ(buffer.view(), "rest");
  EXPECT_LE(buffer.capacity(), InputBuffer::kFirstRoom);
}

TEST(InputBufferTest, RoomIsMadeFromWhatWasDropped) {
  InputBuffer buffer;
  Read(buffer, std::string(60'000, 'x'), 60'000);
  const size_t capacity = buffer.capacity();
  for (int i = 0; i < 100; ++i) {
    buffer.Drop(40'000);
    Read(buffer, std::string(40'000, 'y'), 1);
  }
  EXPECT_LE(buffer.capacity(), 2 * capacity);
}

}  // namespace
}  // namespace cistern::server
