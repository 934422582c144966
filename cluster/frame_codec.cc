#include "cluster/frame_codec.h"

#include <algorithm>
#include <utility>

#include "cluster/peer.pb.h"

namespace cistern::cluster {
namespace {

constexpr size_t kMaxVarintBytes = 5;
// Past this an emptied buffer gives its memory back: one large value must not hold it for ever.
constexpr size_t kKeptCapacity = size_t{256} << 10;

}  // namespace

void AppendFrame(const wire::Frame& frame, std::string& out) {
  const size_t length = frame.ByteSizeLong();
  for (size_t rest = length;; rest >>= 7) {
    if (rest < 0x80) {
      out.push_back(static_cast<char>(rest));
      break;
    }
    out.push_back(static_cast<char>((rest & 0x7f) | 0x80));
  }
  const size_t at = out.size();
  out.resize(at + length);
  frame.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(out.data() + at));
}

void FrameDecoder::Append(std::string_view bytes) {
  if (malformed_) return;
  Keep();
  buffer_.append(bytes);
  input_ = buffer_;
}

void FrameDecoder::Lend(std::string_view bytes) {
  if (!input_.empty() || malformed_) return Append(bytes);
  if (buffer_.capacity() > kKeptCapacity) std::string().swap(buffer_);
  input_ = bytes;
  is_lent_ = true;
}

// What is left stands in `buffer_`, at its beginning unless that costs more than it frees.
void FrameDecoder::Keep() {
  if (std::exchange(is_lent_, false)) {
    buffer_.assign(input_);
  } else if (input_.empty()) {
    buffer_.clear();
    if (buffer_.capacity() > kKeptCapacity) buffer_.shrink_to_fit();
  } else {
    buffer_.erase(0, buffer_.size() - input_.size());
  }
  input_ = buffer_;
}

FrameDecoder::Status FrameDecoder::Length(size_t& header, size_t& body) const {
  body = 0;
  const size_t available = std::min(input_.size(), kMaxVarintBytes);
  for (header = 0; header < available;) {
    const auto byte = static_cast<unsigned char>(input_[header]);
    body |= static_cast<size_t>(byte & 0x7f) << (7 * header);
    ++header;
    if ((byte & 0x80) == 0) return body > max_frame_bytes_ ? Status::kMalformed : Status::kFrame;
  }
  return available == kMaxVarintBytes ? Status::kMalformed : Status::kNeedMore;
}

FrameDecoder::Status FrameDecoder::NextBytes(std::string_view& bytes) {
  if (malformed_) return Status::kMalformed;
  size_t header = 0;
  size_t body = 0;
  Status status = Length(header, body);
  if (status == Status::kFrame && input_.size() < header + body) status = Status::kNeedMore;
  malformed_ = status == Status::kMalformed;
  if (status == Status::kNeedMore && is_lent_) Keep();
  if (status != Status::kFrame) return status;
  bytes = input_.substr(header, body);
  input_.remove_prefix(header + body);
  return status;
}

FrameDecoder::Status FrameDecoder::Parse(std::string_view bytes, wire::Frame& frame) {
  malformed_ = !frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  return malformed_ ? Status::kMalformed : Status::kFrame;
}

FrameDecoder::Status FrameDecoder::Next(wire::Frame& frame) {
  std::string_view bytes;
  const Status status = NextBytes(bytes);
  return status == Status::kFrame ? Parse(bytes, frame) : status;
}

}  // namespace cistern::cluster
