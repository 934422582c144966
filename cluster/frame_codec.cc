#include "cluster/frame_codec.h"

#include <algorithm>

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
  if (start_ == buffer_.size()) {
    buffer_.clear();
    start_ = 0;
    if (buffer_.capacity() > kKeptCapacity) buffer_.shrink_to_fit();
  } else if (start_ > buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_.append(bytes);
}

FrameDecoder::Status FrameDecoder::Length(size_t& header, size_t& body) const {
  body = 0;
  const size_t available = std::min(buffered(), kMaxVarintBytes);
  for (header = 0; header < available;) {
    const auto byte = static_cast<unsigned char>(buffer_[start_ + header]);
    body |= static_cast<size_t>(byte & 0x7f) << (7 * header);
    ++header;
    if ((byte & 0x80) == 0) return body > max_frame_bytes_ ? Status::kMalformed : Status::kFrame;
  }
  return available == kMaxVarintBytes ? Status::kMalformed : Status::kNeedMore;
}

FrameDecoder::Status FrameDecoder::Next(wire::Frame& frame) {
  if (malformed_) return Status::kMalformed;
  size_t header = 0;
  size_t body = 0;
  Status status = Length(header, body);
  if (status == Status::kFrame && buffered() < header + body) return Status::kNeedMore;
  if (status == Status::kFrame &&
      !frame.ParseFromArray(buffer_.data() + start_ + header, static_cast<int>(body))) {
    status = Status::kMalformed;
  }
  malformed_ = status == Status::kMalformed;
  if (status == Status::kFrame) start_ += header + body;
  return status;
}

}  // namespace cistern::cluster
