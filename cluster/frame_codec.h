// Frames on the wire: a varint length and a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cistern::cluster::wire {
class Frame;
}

namespace cistern::cluster {

// Far above what we send (a chunk of 1 MiB, or a batch of keys of about that).
inline constexpr size_t kMaxFrameBytes = size_t{16} << 20;

// Appends `frame` to `out`.
void AppendFrame(const wire::Frame& frame, std::string& out);

// Takes bytes as they arrive, however they are split, and yields frames. One thread at a time.
// Memory grows with the bytes that came, never with a length that was only declared.
class FrameDecoder {
 public:
  enum class Status { kFrame, kNeedMore, kMalformed };

  explicit FrameDecoder(size_t max_frame_bytes = kMaxFrameBytes)
      : max_frame_bytes_(max_frame_bytes) {}
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  void Append(std::string_view bytes);
  // The same, but `bytes` are not copied as long as whole frames are in them: they stay where they
  // are until NextBytes() or Next() says kNeedMore.
  void Lend(std::string_view bytes);
  void set_max_frame_bytes(size_t bytes) { max_frame_bytes_ = bytes; }
  // kFrame: the next one is in `frame`. kMalformed: too long, or no such message; it stays so.
  Status Next(wire::Frame& frame);
  // The same for whoever reads it otherwise: its bytes without their length, valid until the next
  // call of any of these.
  Status NextBytes(std::string_view& bytes);
  // Those that NextBytes() gave are no message: it is malformed.
  Status Parse(std::string_view bytes, wire::Frame& frame);
  // Bytes that wait for the rest of their frame.
  size_t buffered() const { return input_.size(); }
  // Bytes of memory.
  size_t capacity() const { return buffer_.capacity(); }

 private:
  Status Length(size_t& header, size_t& body) const;
  void Keep();

  size_t max_frame_bytes_;
  std::string buffer_;
  std::string_view input_;  // not yielded yet: of `buffer_`, or lent
  bool is_lent_ = false;
  bool malformed_ = false;
};

}  // namespace cistern::cluster
