#include <google/protobuf/io/coded_stream.h>

#include <utility>

#include "cluster/get_codec.h"
#include "cluster/wire_tags.h"

namespace cistern::cluster {
namespace {

using google::protobuf::io::CodedInputStream;

bool ReadBytes(CodedInputStream& in, std::string_view& bytes) {
  int length = 0;
  if (!in.ReadVarintSizeAsInt(&length)) return false;
  const void* data = nullptr;
  int available = 0;
  in.GetDirectBufferPointerInline(&data, &available);
  if (length > available || (length > 0 && !in.Skip(length))) return false;
  bytes = {static_cast<const char*>(data), static_cast<size_t>(length)};
  return true;
}

bool ReadVarint(CodedInputStream& in, uint64_t& value) {
  return in.ReadVarint64(&value);
}

// Numbers of fewer bits lose what is above.
template <class Number>
bool ReadVarint(CodedInputStream& in, Number& value) {
  uint64_t wide = 0;
  if (!in.ReadVarint64(&wide)) return false;
  value = static_cast<Number>(static_cast<uint32_t>(wide));
  return true;
}

// A field that is not known here. Lengths are read strictly, unlike SkipField()'s, and groups,
// which proto3 has none of, are left to the generated classes.
bool Skip(CodedInputStream& in, uint32_t tag) {
  std::string_view bytes;
  switch (WireFormatLite::GetTagWireType(tag)) {
    case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
      return WireFormatLite::GetTagFieldNumber(tag) != 0 && ReadBytes(in, bytes);
    case WireFormatLite::WIRETYPE_START_GROUP:
      return false;
    default:
      return WireFormatLite::SkipField(&in, tag);
  }
}

// Calls `read` with each tag of a message, which it reads the value of. The message ends with
// `bytes`.
template <class Read>
bool ReadFields(std::string_view bytes, Read read) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  while (const uint32_t tag = in.ReadTag()) {
    if (!read(in, tag)) return false;
  }
  return in.ConsumedEntireMessage();
}

bool ReadItem(std::string_view bytes, GetItemView& item) {
  return ReadFields(bytes, [&item](CodedInputStream& in, uint32_t tag) {
    switch (tag) {
      case Bytes(wire::GetItem::kKeyFieldNumber):
        return ReadBytes(in, item.key);
      case Varint(wire::GetItem::kLeftMsFieldNumber):
        return ReadVarint(in, item.left_ms);
      case Varint(wire::GetItem::kWishFieldNumber):
        return ReadVarint(in, item.wish);
      case Varint(wire::GetItem::kModeFieldNumber):
        return ReadVarint(in, item.mode);
      default:
        return Skip(in, tag);
    }
  });
}

bool ReadError(std::string_view bytes, GetResultView& item) {
  return ReadFields(bytes, [&item](CodedInputStream& in, uint32_t tag) {
    switch (tag) {
      case Varint(wire::Error::kCodeFieldNumber):
        return ReadVarint(in, item.error);
      case Bytes(wire::Error::kTextFieldNumber):
        return ReadBytes(in, item.error_text);
      default:
        return Skip(in, tag);
    }
  });
}

bool ReadItem(std::string_view bytes, GetResultView& item) {
  return ReadFields(bytes, [&item](CodedInputStream& in, uint32_t tag) {
    std::string_view error;
    switch (tag) {
      case Varint(wire::GetResult::kIndexFieldNumber):
        return ReadVarint(in, item.index);
      case Varint(wire::GetResult::kOutcomeFieldNumber):
        return ReadVarint(in, item.outcome);
      case Bytes(wire::GetResult::kValueFieldNumber):
        return ReadBytes(in, item.value);
      case Varint(wire::GetResult::kTypeFieldNumber):
        return ReadVarint(in, item.type);
      case Varint(wire::GetResult::kTtlUsFieldNumber):
        return ReadVarint(in, item.ttl_us);
      case Varint(wire::GetResult::kLeaseUsFieldNumber):
        return ReadVarint(in, item.lease_us);
      case Varint(wire::GetResult::kSequenceFieldNumber):
        return ReadVarint(in, item.sequence);
      case Bytes(wire::GetResult::kVersionFieldNumber):
        return ReadBytes(in, item.version);
      case Varint(wire::GetResult::kSourceFieldNumber):
        return ReadVarint(in, item.source);
      case Bytes(wire::GetResult::kErrorFieldNumber):
        return ReadBytes(in, error) && ReadError(error, item);
      default:
        return Skip(in, tag);
    }
  });
}

// Get and GetReply both have their items as field 1.
template <class Item>
bool ReadItems(std::string_view bytes, std::vector<Item>& items) {
  static_assert(int{wire::Get::kItemsFieldNumber} == int{wire::GetReply::kItemsFieldNumber});
  return ReadFields(bytes, [&items](CodedInputStream& in, uint32_t tag) {
    if (tag != Bytes(wire::Get::kItemsFieldNumber)) return Skip(in, tag);
    std::string_view item;
    return items.size() < kMostGetItems && ReadBytes(in, item) &&
           ReadItem(item, items.emplace_back());
  });
}

}  // namespace

bool ReadGetFrame(std::string_view bytes, GetFrameView& frame) {
  using Body = GetFrameWriter::Body;
  frame.id = frame.epoch = 0;
  frame.gets.clear();
  frame.results.clear();
  bool has_body = false;
  std::string_view body;
  const bool is_ours = ReadFields(bytes, [&](CodedInputStream& in, uint32_t tag) {
    switch (tag) {
      case Varint(wire::Frame::kIdFieldNumber):
        return ReadVarint(in, frame.id);
      case Fixed64(wire::Frame::kEpochFieldNumber):
        return in.ReadLittleEndian64(&frame.epoch);
      case TagOf(Body::kGet):
      case TagOf(Body::kGetReply):
        frame.body = tag == TagOf(Body::kGet) ? Body::kGet : Body::kGetReply;
        return !std::exchange(has_body, true) && ReadBytes(in, body);
      default:
        return false;
    }
  });
  if (!is_ours || !has_body) return false;
  return frame.body == Body::kGet ? ReadItems(body, frame.gets) : ReadItems(body, frame.results);
}

}  // namespace cistern::cluster
