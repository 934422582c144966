// What is written and read in place is what the generated classes write and read.
#include "cluster/get_codec.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>

#include "cluster/frame_codec.h"
#include "tests/cluster/get_frames.h"

namespace cistern::cluster {
namespace {

using google::protobuf::util::MessageDifferencer;
constexpr uint64_t kId = uint64_t{1} << 63;
constexpr uint64_t kEpoch = 0xfedcba9876543210;

std::string EveryByte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes.push_back(static_cast<char>(i));
  return bytes;
}

wire::Frame SampleGet() {
  wire::Frame frame;
  frame.set_id(kId);
  frame.set_epoch(kEpoch);
  for (const std::string& key : {EveryByte(), std::string(), std::string(70'000, 'k')}) {
    wire::GetItem& item = *frame.mutable_get()->add_items();
    item.set_key(key);
    item.set_left_ms(5000);
    item.set_wish(wire::WISH_LEASE);
    item.set_mode(wire::MODE_PEEK);
  }
  frame.mutable_get()->add_items();
  return frame;
}

wire::Frame SampleReply() {
  wire::Frame frame;
  frame.set_id(kId);
  frame.set_epoch(kEpoch);
  wire::GetReply& reply = *frame.mutable_get_reply();
  for (const std::string& value : {EveryByte(), std::string(), std::string(70'000, 'v')}) {
    wire::GetResult& item = *reply.add_items();
    item.set_index(static_cast<uint32_t>(reply.items_size()));
    item.set_outcome(wire::OUTCOME_FOUND);
    item.set_value(value);
    item.set_ttl_us(UINT64_MAX);
    item.set_lease_us(1'000'000);
    item.set_sequence(uint64_t{1} << 40);
    item.set_version(value);
    item.set_source(wire::SOURCE_JOINED);
  }
  wire::GetResult& failed = *reply.add_items();
  failed.set_outcome(wire::OUTCOME_ERROR);
  failed.mutable_error()->set_code(wire::ERROR_OVERLOAD);
  failed.mutable_error()->set_text(EveryByte());
  reply.add_items()->set_outcome(wire::OUTCOME_NOT_FOUND);
  return frame;
}

std::string Written(wire::Frame& frame) {
  std::string out = "what was there before";
  const size_t before = out.size();
  const bool is_get = frame.has_get();
  GetFrameWriter writer(out, is_get ? Body::kGet : Body::kGetReply, frame.id(), frame.epoch());
  for (const wire::GetItem& item : frame.get().items())
    writer.Add(ViewOf(item));
  if (!is_get) {
    for (wire::GetResult& item : *frame.mutable_get_reply()->mutable_items())
      writer.Add(ViewOf(item));
  }
  writer.Close();
  return out.substr(before);
}

// Reads `bytes` both ways. What is read in place is what the generated classes make of it.
bool ReadBothWays(const std::string& bytes) {
  GetFrameView view;
  if (!ReadGetFrame(bytes, view)) return false;
  wire::Frame frame;
  EXPECT_TRUE(frame.ParseFromString(bytes));
  EXPECT_TRUE(MeansTheSame(view, frame)) << frame.DebugString();
  return true;
}

TEST(GetCodec, GeneratedClassesReadWhatIsWritten) {
  for (wire::Frame frame : {SampleGet(), SampleReply()}) {
    FrameDecoder decoder;
    decoder.Append(Written(frame));
    wire::Frame read;
    ASSERT_EQ(decoder.Next(read), FrameDecoder::Status::kFrame);
    EXPECT_EQ(decoder.buffered(), 0u);
    EXPECT_TRUE(MessageDifferencer::Equals(read, frame));
  }
}

TEST(GetCodec, WhatGeneratedClassesWriteIsRead) {
  for (const wire::Frame& frame : {SampleGet(), SampleReply()})
    EXPECT_TRUE(ReadBothWays(frame.SerializeAsString()));
}

TEST(GetCodec, WhatIsWrittenIsReadInPlace) {
  for (wire::Frame frame : {SampleGet(), SampleReply()}) {
    const std::string bytes = Written(frame);
    FrameDecoder decoder;
    decoder.Lend(bytes);
    std::string_view body;
    ASSERT_EQ(decoder.NextBytes(body), FrameDecoder::Status::kFrame);
    EXPECT_GE(body.data(), bytes.data());
    EXPECT_LT(body.data(), bytes.data() + bytes.size());
    EXPECT_TRUE(ReadBothWays(std::string(body)));
  }
}

TEST(GetCodec, SeveralFramesStandBehindEachOther) {
  std::string out;
  for (uint64_t id = 1; id <= 3; ++id) {
    GetFrameWriter writer(out, Body::kGet, id, 0);
    for (uint64_t i = 0; i < id; ++i)
      writer.Add(GetItemView{.key = "k"});
    EXPECT_EQ(writer.items(), id);
    writer.Close();
  }
  FrameDecoder decoder;
  decoder.Append(out);
  wire::Frame frame;
  for (uint64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(decoder.Next(frame), FrameDecoder::Status::kFrame);
    EXPECT_EQ(frame.id(), id);
    EXPECT_EQ(frame.get().items_size(), static_cast<int>(id));
  }
}

TEST(GetCodec, OtherFramesAreLeftToTheGeneratedClasses) {
  wire::Frame ping;
  ping.mutable_ping()->set_token(1);
  wire::Frame large = SampleReply();
  large.add_detached()->set_payload(1);
  wire::Frame many;
  for (size_t i = 0; i <= kMostGetItems; ++i)
    many.mutable_get()->add_items();
  const std::string both = SampleGet().SerializeAsString() + SampleReply().SerializeAsString();
  GetFrameView view;
  for (const std::string& bytes : {std::string(), ping.SerializeAsString(),
                                   large.SerializeAsString(), many.SerializeAsString(), both})
    EXPECT_FALSE(ReadGetFrame(bytes, view));
}

// Every field of every message has neighbours that nobody knows here, of each type there is.
TEST(GetCodec, FieldsOfLaterVersionsAreSkipped) {
  const std::string later = std::string("\xc0\x3e\x05", 3) + "\xc2\x3e\x03new" +
                            "\xc5\x3e\x01\x02\x03\x04" + "\xc1\x3e\x01\x02\x03\x04\x05\x06\x07\x08";
  const auto item = std::string("\x0a") + static_cast<char>(later.size() + 3) + "\x0a\x01k" + later;
  const auto error = std::string("\x6a") + static_cast<char>(later.size() + 2) + "\x08\x02" + later;
  const auto result =
      std::string("\x0a") + static_cast<char>(error.size() + later.size()) + later + error;
  const auto frame = [](const std::string& tag, const std::string& body) {
    std::string length;
    for (size_t rest = body.size(); true; rest >>= 7) {
      length += static_cast<char>(rest < 128 ? rest : (rest & 127) | 128);
      if (rest < 128) break;
    }
    return "\x08\x05" + tag + length + body;
  };
  EXPECT_TRUE(ReadBothWays(frame("\x8a\x01", later + item + later)));
  EXPECT_TRUE(ReadBothWays(frame("\x92\x01", later + result + later)));
}

TEST(GetCodec, EveryTruncationIsRefused) {
  wire::Frame get = SampleGet();
  get.mutable_get()->mutable_items(2)->set_key("short");
  wire::Frame reply = SampleReply();
  reply.mutable_get_reply()->mutable_items(2)->set_value("short");
  reply.mutable_get_reply()->mutable_items(2)->set_version("short");
  for (const wire::Frame& frame : {get, reply}) {
    const std::string bytes = frame.SerializeAsString();
    const size_t body = bytes.size() - (frame.has_get() ? frame.get().ByteSizeLong()
                                                        : frame.get_reply().ByteSizeLong());
    for (size_t size = 0; size < bytes.size(); ++size) {
      GetFrameView view;
      EXPECT_FALSE(ReadGetFrame(bytes.substr(0, size), view)) << size;
      if (size < body) continue;
      // The frame is whole, what is in it is not.
      wire::Frame cut;
      std::string inner = bytes.substr(body, size - body);
      std::string whole =
          bytes.substr(0, bytes.find(frame.has_get() ? "\x8a\x01" : "\x92\x01") + 2);
      for (size_t rest = inner.size(); true; rest >>= 7) {
        whole += static_cast<char>(rest < 128 ? rest : (rest & 127) | 128);
        if (rest < 128) break;
      }
      const bool is_message = cut.ParseFromString(whole + inner);
      EXPECT_EQ(ReadBothWays(whole + inner), is_message) << size;
    }
  }
}

TEST(GetCodec, HostileLengthsAreRefused) {
  const std::string huge = "\xff\xff\xff\xff\x07";  // 2 GiB - 1
  const std::string endless(11, '\xff');
  GetFrameView view;
  for (const std::string& length :
       {huge, endless, std::string("\xff\xff\xff\xff\x0f"), std::string("\x05")}) {
    EXPECT_FALSE(ReadGetFrame("\x8a\x01" + length, view));
    EXPECT_FALSE(ReadGetFrame(std::string("\x8a\x01\x06\x0a", 4) + length, view));
    for (const std::string field : {"\x0a", "\x1a", "\x5a", "\x6a", "\x0d\x01"}) {
      const std::string item = field + length;
      const std::string body = std::string("\x0a") + static_cast<char>(item.size()) + item;
      EXPECT_FALSE(
          ReadGetFrame("\x92\x01" + std::string(1, static_cast<char>(body.size())) + body, view));
    }
  }
}

// Many changes of good frames: whatever is read in place means the same to the generated
// classes.
TEST(GetCodec, ChangedBytesMeanTheSameBothWays) {
  std::mt19937 random(1);
  wire::Frame get = SampleGet();
  wire::Frame reply = SampleReply();
  get.mutable_get()->mutable_items(2)->set_key("short");
  reply.mutable_get_reply()->mutable_items(2)->set_value("short");
  reply.mutable_get_reply()->mutable_items(2)->set_version("short");
  size_t read = 0;
  for (const std::string& good : {get.SerializeAsString(), reply.SerializeAsString()}) {
    for (int i = 0; i < 4'000; ++i) {
      std::string bytes = good;
      for (size_t changes = 1 + random() % 3; changes > 0; --changes)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      read += ReadBothWays(bytes) ? 1 : 0;
    }
  }
  EXPECT_GT(read, 200u);
}

}  // namespace
}  // namespace cistern::cluster
