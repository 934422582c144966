#include "cluster/slot.h"

#include <gtest/gtest.h>

#include <string>

namespace cistern::cluster {
namespace {

// Bit after bit, as the definition goes.
uint16_t SlowCrc16(std::string_view bytes) {
  uint32_t crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<uint32_t>(static_cast<unsigned char>(byte)) << 8;
    for (int bit = 0; bit < 8; ++bit)
      crc = ((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return static_cast<uint16_t>(crc);
}

TEST(Slot, CrcIsXmodem) {
  EXPECT_EQ(Crc16("123456789"), 0x31C3);
  EXPECT_EQ(Crc16(""), 0);
}

TEST(Slot, CrcOfEveryLengthAndByteIsTheSlowOne) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(Crc16(bytes), SlowCrc16(bytes)) << bytes.size();
    bytes.push_back(static_cast<char>(i * 167 + 13));
  }
}

// From CLUSTER KEYSLOT of redis-server 7.
TEST(Slot, SlotsAreRedisClusters) {
  EXPECT_EQ(SlotOf("123456789"), 12739);
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf("hello"), 866);
  EXPECT_EQ(SlotOf(""), 0);
}

TEST(Slot, TagDecidesTheSlot) {
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("{user1000}.followers"));
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("user1000"));
}

TEST(Slot, TagIsBetweenTheFirstBraces) {
  EXPECT_EQ(HashTag("foo{bar}{zap}"), "bar");
  EXPECT_EQ(HashTag("foo{{bar}}zap"), "{bar");
  EXPECT_EQ(HashTag("}{bar}"), "bar");
}

TEST(Slot, EmptyTagIsNoTag) {
  EXPECT_EQ(HashTag("{}"), "{}");
  EXPECT_EQ(HashTag("foo{}{bar}"), "foo{}{bar}");
}

TEST(Slot, UnclosedTagIsNoTag) {
  EXPECT_EQ(HashTag("foo{bar"), "foo{bar");
  EXPECT_EQ(HashTag("foo}bar"), "foo}bar");
  EXPECT_EQ(HashTag("{"), "{");
}

}  // namespace
}  // namespace cistern::cluster
