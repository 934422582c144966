#include "cluster/get_codec.h"

#include <google/protobuf/io/coded_stream.h>

#include "cluster/wire_tags.h"

namespace cistern::cluster {
namespace {

using google::protobuf::io::CodedOutputStream;

// A length that is written before it is known: a varint of always so many bytes, more of them than
// it may need, which is as good to whoever reads it.
constexpr size_t kLengthBytes = 4;

void FillIn(char* at, size_t length) {
  for (size_t i = 0; i < kLengthBytes; ++i, length >>= 7)
    at[i] = static_cast<char>((length & 0x7f) | (i + 1 < kLengthBytes ? 0x80 : 0));
}

// Some fields, before or behind the bytes of a key or value. Those that are 0 are left out.
class Fields {
 public:
  void PutVarint(int field, uint64_t value) {
    if (value == 0) return;
    end_ = CodedOutputStream::WriteTagToArray(Varint(field), end_);
    end_ = CodedOutputStream::WriteVarint64ToArray(value, end_);
  }
  void PutFixed64(int field, uint64_t value) {
    if (value == 0) return;
    end_ = CodedOutputStream::WriteTagToArray(Fixed64(field), end_);
    end_ = CodedOutputStream::WriteLittleEndian64ToArray(value, end_);
  }
  void PutTag(uint32_t tag) { end_ = CodedOutputStream::WriteTagToArray(tag, end_); }
  // Of bytes that are put behind this.
  void PutLength(int field, size_t length) {
    PutTag(Bytes(field));
    end_ = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(length), end_);
  }
  // Room for a length; returns how far from the beginning.
  size_t LeaveLength() {
    const size_t at = view().size();
    end_ += kLengthBytes;
    return at;
  }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes_), static_cast<size_t>(end_ - bytes_)};
  }

 private:
  uint8_t bytes_[96];  // more than all fields of an item take, but for its bytes
  uint8_t* end_ = bytes_;
};

// Of a field of bytes, 0 if it is left out. Tags of items take one byte.
size_t SizeOfBytes(size_t length) {
  return length == 0 ? 0 : 1 + CodedOutputStream::VarintSize64(length) + length;
}

}  // namespace

GetItemView ViewOf(const wire::GetItem& item) {
  return {item.key(), item.left_ms(), item.wish(), item.mode()};
}

GetResultView ViewOf(const wire::GetResult& item) {
  return {.index = item.index(),
          .outcome = item.outcome(),
          .value = item.value(),
          .type = item.type(),
          .ttl_us = item.ttl_us(),
          .lease_us = item.lease_us(),
          .sequence = item.sequence(),
          .version = item.version(),
          .source = item.source(),
          .error = item.error().code(),
          .error_text = item.error().text()};
}

GetFrameWriter::GetFrameWriter(std::string& out, Body body, uint64_t id, uint64_t epoch)
    : out_(out), frame_(out.size()) {
  Fields head;
  head.LeaveLength();
  head.PutVarint(wire::Frame::kIdFieldNumber, id);
  head.PutFixed64(wire::Frame::kEpochFieldNumber, epoch);
  head.PutTag(TagOf(body));
  head.LeaveLength();
  out_.append(head.view());
  body_ = out_.size();
}

void GetFrameWriter::Add(const GetItemView& item) {
  Fields tail;
  tail.PutVarint(wire::GetItem::kLeftMsFieldNumber, item.left_ms);
  tail.PutVarint(wire::GetItem::kWishFieldNumber, static_cast<uint32_t>(item.wish));
  tail.PutVarint(wire::GetItem::kModeFieldNumber, static_cast<uint32_t>(item.mode));
  Fields head;
  head.PutLength(wire::Get::kItemsFieldNumber, SizeOfBytes(item.key.size()) + tail.view().size());
  if (!item.key.empty()) head.PutLength(wire::GetItem::kKeyFieldNumber, item.key.size());
  out_.append(head.view()).append(item.key).append(tail.view());
  ++items_;
}

void GetFrameWriter::Add(const GetResultView& item) {
  using Result = wire::GetResult;
  Fields front;
  front.PutVarint(Result::kIndexFieldNumber, item.index);
  front.PutVarint(Result::kOutcomeFieldNumber, static_cast<uint32_t>(item.outcome));
  if (!item.value.empty()) front.PutLength(Result::kValueFieldNumber, item.value.size());
  Fields middle;
  middle.PutVarint(Result::kTypeFieldNumber, static_cast<uint32_t>(item.type));
  middle.PutVarint(Result::kTtlUsFieldNumber, item.ttl_us);
  middle.PutVarint(Result::kLeaseUsFieldNumber, item.lease_us);
  middle.PutVarint(Result::kSequenceFieldNumber, item.sequence);
  if (!item.version.empty()) middle.PutLength(Result::kVersionFieldNumber, item.version.size());
  Fields back;
  back.PutVarint(Result::kSourceFieldNumber, static_cast<uint32_t>(item.source));
  if (item.outcome == wire::OUTCOME_ERROR) {
    Fields code;
    code.PutVarint(wire::Error::kCodeFieldNumber, static_cast<uint32_t>(item.error));
    back.PutLength(Result::kErrorFieldNumber,
                   code.view().size() + SizeOfBytes(item.error_text.size()));
    back.PutVarint(wire::Error::kCodeFieldNumber, static_cast<uint32_t>(item.error));
    if (!item.error_text.empty())
      back.PutLength(wire::Error::kTextFieldNumber, item.error_text.size());
  }
  const std::string_view text =
      item.outcome == wire::OUTCOME_ERROR ? item.error_text : std::string_view();
  const size_t size = front.view().size() + item.value.size() + middle.view().size() +
                      item.version.size() + back.view().size() + text.size();
  Fields head;
  head.PutLength(wire::GetReply::kItemsFieldNumber, size);
  // The one copy of the value at its owner: from the entry to what the link writes.
  out_.append(head.view()).append(front.view()).append(item.value);
  out_.append(middle.view()).append(item.version).append(back.view()).append(text);
  ++items_;
}

void GetFrameWriter::Close() {
  FillIn(out_.data() + body_ - kLengthBytes, out_.size() - body_);
  FillIn(out_.data() + frame_, out_.size() - frame_ - kLengthBytes);
}

}  // namespace cistern::cluster
