#include "cluster/payload_inbox.h"

#include <gtest/gtest.h>

namespace cistern::cluster {
namespace {

using Status = PayloadInbox::Status;

// A command of two arguments, the second of which follows as payload 1.
wire::Frame Head() {
  wire::Frame frame;
  frame.set_id(5);
  frame.mutable_command()->add_args("SET");
  frame.mutable_command()->add_args();
  frame.add_detached()->set_payload(1);
  frame.mutable_detached(0)->set_index(1);
  return frame;
}

wire::Frame ChunkOf(uint64_t payload, const std::string& data, bool last) {
  wire::Frame frame;
  frame.mutable_chunk()->set_payload(payload);
  frame.mutable_chunk()->set_data(data);
  frame.mutable_chunk()->set_last(last);
  return frame;
}

Status Give(PayloadInbox& inbox, wire::Frame frame) {
  return inbox.Take(frame);
}

TEST(PayloadInbox, FrameIsWholeWithItsLastChunk) {
  PayloadInbox inbox(10'000);
  EXPECT_EQ(Give(inbox, Head()), Status::kIncomplete);
  EXPECT_EQ(Give(inbox, ChunkOf(1, "ab", false)), Status::kIncomplete);
  wire::Frame frame = ChunkOf(1, "c", true);
  ASSERT_EQ(inbox.Take(frame), Status::kWhole);
  EXPECT_EQ(frame.id(), 5u);
  EXPECT_EQ(frame.command().args(1), "abc");
  EXPECT_EQ(inbox.bytes(), 0u);
}

TEST(PayloadInbox, FramesWithoutLargeFieldsPass) {
  PayloadInbox inbox(10'000);
  EXPECT_EQ(Give(inbox, Head()), Status::kIncomplete);
  wire::Frame ping;
  ping.mutable_ping()->set_token(3);
  EXPECT_EQ(inbox.Take(ping), Status::kWhole);
  EXPECT_EQ(ping.ping().token(), 3u);
}

TEST(PayloadInbox, FrameWaitsForAllItsFields) {
  PayloadInbox inbox(10'000);
  wire::Frame head = Head();
  head.add_detached()->set_payload(2);
  EXPECT_EQ(inbox.Take(head), Status::kIncomplete);
  EXPECT_EQ(Give(inbox, ChunkOf(2, "GETSET", true)), Status::kIncomplete);
  wire::Frame frame = ChunkOf(1, "v", true);
  ASSERT_EQ(inbox.Take(frame), Status::kWhole);
  EXPECT_EQ(frame.command().args(0), "GETSET");
  EXPECT_EQ(frame.command().args(1), "v");
}

TEST(PayloadInbox, ChunkOfNothingIsMalformed) {
  PayloadInbox inbox(10'000);
  EXPECT_EQ(Give(inbox, ChunkOf(1, "x", true)), Status::kMalformed);
}

TEST(PayloadInbox, NumberInUseIsMalformed) {
  PayloadInbox inbox(10'000);
  EXPECT_EQ(Give(inbox, Head()), Status::kIncomplete);
  EXPECT_EQ(Give(inbox, Head()), Status::kMalformed);
}

TEST(PayloadInbox, FieldThatIsNotThereIsMalformed) {
  PayloadInbox inbox(10'000);
  wire::Frame head = Head();
  head.mutable_detached(0)->set_index(2);
  EXPECT_EQ(inbox.Take(head), Status::kMalformed);
  head = Head();
  head.mutable_ping();
  EXPECT_EQ(inbox.Take(head), Status::kMalformed);
}

TEST(PayloadInbox, MoreThanMayWaitIsMalformed) {
  PayloadInbox inbox(10'000);
  EXPECT_EQ(Give(inbox, Head()), Status::kIncomplete);
  const size_t left = 10'000 - inbox.bytes();
  EXPECT_EQ(Give(inbox, ChunkOf(1, std::string(left, 'x'), false)), Status::kIncomplete);
  EXPECT_EQ(Give(inbox, ChunkOf(1, "x", false)), Status::kMalformed);
}

// Frames cost as much as chunks: whoever never sends these may not send those for ever.
TEST(PayloadInbox, FramesThatWaitAreCounted) {
  PayloadInbox inbox(10'000);
  wire::Frame frame = Head();
  frame.mutable_command()->set_args(0, std::string(20'000, 'x'));
  EXPECT_EQ(inbox.Take(frame), Status::kMalformed);
}

TEST(PayloadInbox, NothingIsCountedOnceAllIsWhole) {
  PayloadInbox inbox(10'000);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Give(inbox, Head()), Status::kIncomplete);
    EXPECT_GT(inbox.bytes(), 0u);
    EXPECT_EQ(Give(inbox, ChunkOf(1, std::string(1000, 'x'), true)), Status::kWhole);
    EXPECT_EQ(inbox.bytes(), 0u);
  }
}

}  // namespace
}  // namespace cistern::cluster
