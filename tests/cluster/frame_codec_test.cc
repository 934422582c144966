#include "cluster/frame_codec.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "cluster/peer.pb.h"

namespace cistern::cluster {
namespace {

using google::protobuf::util::MessageDifferencer;

std::string EveryByte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes.push_back(static_cast<char>(i));
  return bytes;
}

std::vector<wire::Frame> Samples() {
  std::vector<wire::Frame> frames(8);
  frames[0].set_id(1);
  frames[0].set_epoch(0xfedcba9876543210);
  auto* get = frames[0].mutable_get();
  for (const std::string& key : {EveryByte(), std::string(), std::string(300, 'k')})
    get->add_items()->set_key(key);
  frames[1].set_id(uint64_t{1} << 63);
  auto* item = frames[1].mutable_get_reply()->add_items();
  item->set_outcome(wire::OUTCOME_FOUND);
  item->set_value(EveryByte() + std::string(20'000, 'v'));
  // frames[2]: nothing in it at all, a length of 0.
  frames[3].mutable_ping()->set_token(7);
  frames[4].mutable_invalidate()->add_keys(std::string(1, '\0'));
  frames[5].mutable_command()->add_args("INCR");
  // Texts quote what clients have sent.
  frames[6].mutable_command_reply()->set_error("NOGROUP no group serves key '" + EveryByte());
  frames[7].mutable_get_reply()->add_items()->mutable_error()->set_text(EveryByte());
  return frames;
}

std::string Encoded(const std::vector<wire::Frame>& frames) {
  std::string bytes;
  for (const wire::Frame& frame : frames)
    AppendFrame(frame, bytes);
  return bytes;
}

// Takes all that is there.
void Drain(FrameDecoder& decoder, std::vector<wire::Frame>& frames) {
  wire::Frame frame;
  for (;;) {
    const auto status = decoder.Next(frame);
    ASSERT_NE(status, FrameDecoder::Status::kMalformed);
    if (status == FrameDecoder::Status::kNeedMore) return;
    frames.push_back(frame);
  }
}

void ExpectSame(const std::vector<wire::Frame>& got, const std::vector<wire::Frame>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(MessageDifferencer::Equals(got[i], wanted[i])) << i;
}

TEST(FrameCodec, FramesFedWholeComeOut) {
  FrameDecoder decoder;
  std::vector<wire::Frame> got;
  decoder.Append(Encoded(Samples()));
  Drain(decoder, got);
  ExpectSame(got, Samples());
  EXPECT_EQ(decoder.buffered(), 0u);
}

TEST(FrameCodec, FramesFedByteByByteComeOut) {
  const std::string bytes = Encoded(Samples());
  FrameDecoder decoder;
  std::vector<wire::Frame> got;
  for (const char& byte : bytes) {
    decoder.Append({&byte, 1});
    Drain(decoder, got);
  }
  ExpectSame(got, Samples());
}

TEST(FrameCodec, FramesFedInTwoPartsComeOutAtEverySplit) {
  auto frames = Samples();
  frames[1].mutable_get_reply()->mutable_items(0)->set_value(std::string(150, 'v'));
  const std::string bytes = Encoded(frames);
  for (size_t split = 0; split <= bytes.size(); ++split) {
    FrameDecoder decoder;
    std::vector<wire::Frame> got;
    decoder.Append(std::string_view(bytes).substr(0, split));
    Drain(decoder, got);
    decoder.Append(std::string_view(bytes).substr(split));
    Drain(decoder, got);
    ExpectSame(got, frames);
  }
}

// What was lent is gone once the decoder has said that it needs more.
TEST(FrameCodec, FramesLentInTwoPartsComeOutAtEverySplit) {
  auto frames = Samples();
  frames[1].mutable_get_reply()->mutable_items(0)->set_value(std::string(150, 'v'));
  const std::string bytes = Encoded(frames);
  for (size_t split = 0; split <= bytes.size(); ++split) {
    FrameDecoder decoder;
    std::vector<wire::Frame> got;
    for (std::string part : {bytes.substr(0, split), bytes.substr(split)}) {
      decoder.Lend(part);
      Drain(decoder, got);
      std::fill(part.begin(), part.end(), '\xff');
    }
    ExpectSame(got, frames);
  }
}

TEST(FrameCodec, LentFramesStayWhereTheyAre) {
  const std::string bytes = Encoded(Samples());
  FrameDecoder decoder;
  decoder.Lend(bytes);
  std::string_view frame;
  ASSERT_EQ(decoder.NextBytes(frame), FrameDecoder::Status::kFrame);
  EXPECT_EQ(frame.data(), bytes.data() + 1 + (static_cast<unsigned char>(bytes[0]) > 127 ? 1 : 0));
  EXPECT_EQ(decoder.capacity(), FrameDecoder().capacity());
}

TEST(FrameCodec, LengthAboveTheLimitIsMalformedBeforeItsBytesCome) {
  FrameDecoder decoder(1000);
  decoder.Append("\xe9\x07");  // 1001
  wire::Frame frame;
  EXPECT_EQ(decoder.Next(frame), FrameDecoder::Status::kMalformed);
}

TEST(FrameCodec, LengthAtTheLimitIsWaitedFor) {
  FrameDecoder decoder(1000);
  decoder.Append("\xe8\x07");  // 1000
  wire::Frame frame;
  EXPECT_EQ(decoder.Next(frame), FrameDecoder::Status::kNeedMore);
  EXPECT_EQ(decoder.buffered(), 2u);
}

TEST(FrameCodec, EndlessVarintIsMalformed) {
  FrameDecoder decoder;
  wire::Frame frame;
  decoder.Append("\x80\x80\x80\x80");
  EXPECT_EQ(decoder.Next(frame), FrameDecoder::Status::kNeedMore);
  decoder.Append("\x80");
  EXPECT_EQ(decoder.Next(frame), FrameDecoder::Status::kMalformed);
}

TEST(FrameCodec, MalformedStaysMalformed) {
  FrameDecoder decoder;
  wire::Frame frame;
  decoder.Append(std::string_view("\x02\xff\xff", 3));
  EXPECT_EQ(decoder.Next(frame), FrameDecoder::Status::kMalformed);
  decoder.Append(Encoded(Samples()));
  EXPECT_EQ(decoder.Next(frame), FrameDecoder::Status::kMalformed);
}

TEST(FrameCodec, FieldsOfLaterVersionsAreSurvived) {
  // Field 1 (id) = 5, then a field 1000 of bytes "new" that nobody knows here.
  const std::string body = "\x08\x05\xc2\x3e\x03new";
  FrameDecoder decoder;
  decoder.Append(std::string(1, static_cast<char>(body.size())) + body);
  wire::Frame frame;
  ASSERT_EQ(decoder.Next(frame), FrameDecoder::Status::kFrame);
  EXPECT_EQ(frame.id(), 5u);
  EXPECT_EQ(frame.body_case(), wire::Frame::BODY_NOT_SET);
}

}  // namespace
}  // namespace cistern::cluster
