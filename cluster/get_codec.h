// Get and GetReply, nearly all that peers say to each other, as bytes: written and read in place
// with protobuf's coded streams, without messages of the generated classes in between. The bytes
// are those of peer.proto: a test and a fuzzer compare.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/peer.pb.h"

namespace cistern::cluster {

// A wire::GetItem, as far as it is used. Views are valid as long as the bytes that were read.
struct GetItemView {
  std::string_view key;
  uint64_t left_ms = 0;
  wire::Wish wish = wire::WISH_NONE;
  wire::Mode mode = wire::MODE_LOAD;
};

// A wire::GetResult, likewise.
struct GetResultView {
  uint32_t index = 0;
  wire::Outcome outcome = wire::OUTCOME_UNSPECIFIED;
  std::string_view value;
  wire::ValueType type = wire::VALUE_STRING;
  uint64_t ttl_us = 0;
  uint64_t lease_us = 0;
  uint64_t sequence = 0;
  std::string_view version;
  wire::Source source = wire::SOURCE_MAIN;
  wire::ErrorCode error = wire::ERROR_UNSPECIFIED;
  std::string_view error_text;
};

// The same of messages that came otherwise. Valid as long as `item`, unchanged.
GetItemView ViewOf(const wire::GetItem& item);
GetResultView ViewOf(const wire::GetResult& item);

// Writes one frame behind what `out` holds, its lengths last: so each key and value is copied once,
// from where it lies to where it leaves. Until Close() nobody else may use `out`.
class GetFrameWriter {
 public:
  enum class Body { kGet, kGetReply };

  GetFrameWriter(std::string& out, Body body, uint64_t id, uint64_t epoch);
  // Only items that belong to the body.
  void Add(const GetItemView& item);
  void Add(const GetResultView& item);
  // The frame is whole. Last call.
  void Close();

  size_t items() const { return items_; }
  // Of the items so far.
  size_t bytes() const { return out_.size() - body_; }

 private:
  std::string& out_;
  const size_t frame_;  // where its length stands
  size_t body_;         // where the items begin; their length stands before
  size_t items_ = 0;
};

// Keys of one frame, at most.
inline constexpr size_t kMostGetItems = 4096;

// A frame of one Get or one GetReply.
struct GetFrameView {
  uint64_t id = 0;
  uint64_t epoch = 0;
  GetFrameWriter::Body body{};
  std::vector<GetItemView> gets;       // of a Get
  std::vector<GetResultView> results;  // of a GetReply

  size_t memory() const {
    return gets.capacity() * sizeof(GetItemView) + results.capacity() * sizeof(GetResultView);
  }
};

// Reads a frame, which stands in `bytes` without its length, into `frame`, whose memory is used
// again. False: it is another one (also one with large fields that follow, or with more items than
// any node sends), or none at all: the generated classes will know.
bool ReadGetFrame(std::string_view bytes, GetFrameView& frame);

}  // namespace cistern::cluster
