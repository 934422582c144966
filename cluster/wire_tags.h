// Tags of the wire: the number of a field in peer.proto, and how it stands there.
#pragma once

#include <google/protobuf/wire_format_lite.h>

#include <cstdint>

#include "cluster/get_codec.h"

namespace cistern::cluster {

using google::protobuf::internal::WireFormatLite;

constexpr uint32_t Varint(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT);
}
constexpr uint32_t Fixed64(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_FIXED64);
}
constexpr uint32_t Bytes(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}

constexpr uint32_t TagOf(GetFrameWriter::Body body) {
  return Bytes(body == GetFrameWriter::Body::kGet ? wire::Frame::kGetFieldNumber
                                                  : wire::Frame::kGetReplyFieldNumber);
}

}  // namespace cistern::cluster
