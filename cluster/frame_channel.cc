#include "cluster/frame_channel.h"

#include <utility>

namespace cistern::cluster {
namespace {

// Of a connection without anything to carry.
constexpr size_t kBaseBytes = sizeof(FrameChannel) + 1024;
// A hello with the longest list of members is smaller.
constexpr size_t kStrangersFrameBytes = size_t{512} << 10;
constexpr size_t kMaxInboxBytes = size_t{1} << 30;
// What other frames have to wait for behind a large field, at most.
constexpr size_t kChunkWindowBytes = 2 * kChunkBytes;
// A socket may take a whole large field at once, which would hold up everything else of the loop.
constexpr int kChunksPerTurn = 2;
// Above this much unsent, no more requests are read: the other side is slower than its wishes.
constexpr size_t kPauseBytes = size_t{32} << 20;

}  // namespace

FrameChannel::FrameChannel(net::Loop& loop, cache::Budget& budget, Delegate& delegate)
    : loop_(loop),
      delegate_(delegate),
      alive_(std::make_shared<const int>(0)),
      decoder_(kStrangersFrameBytes),
      inbox_(kMaxInboxBytes),
      charge_(budget, cache::ChargeKind::kPeers, kBaseBytes),
      last_heard_(loop.clock().Now()),
      stream_(loop, *this) {}

void FrameChannel::Connect(const net::Address& address, cache::Duration timeout,
                           std::shared_ptr<const net::TlsContext> tls) {
  stream_.Connect(address, timeout, std::move(tls));
}

net::Result<void> FrameChannel::Adopt(int fd, std::shared_ptr<const net::TlsContext> tls) {
  serves_ = true;
  return stream_.Adopt(fd, std::move(tls));
}

void FrameChannel::Trust() {
  trusted_ = true;
  decoder_.set_max_frame_bytes(kMaxFrameBytes);
}

void FrameChannel::Send(wire::Frame frame, const std::vector<LargeField>& large) {
  if (closing_) return;
  for (const LargeField& field : large) {
    wire::Detached& detached = *frame.add_detached();
    detached.set_payload(++last_payload_);
    detached.set_index(field.index);
    outgoing_.push_back({last_payload_, field.bytes});
    outgoing_bytes_ += field.bytes->bytes().size();
  }
  AppendFrame(frame, out_);
  ++counters_.frames_sent;
  FlushAtTurnEnd();
}

void FrameChannel::FlushAtTurnEnd() {
  if (std::exchange(flush_wanted_, true)) return;
  loop_.AtTurnEnd([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) Flush();
  });
}

void FrameChannel::SendAhead(const wire::Frame& frame) {
  if (closing_) return;
  std::string bytes;
  AppendFrame(frame, bytes);
  ++counters_.frames_sent;
  stream_.Write(bytes);
  PauseOrResume();
}

void FrameChannel::Close() {
  closing_ = true;
  stream_.Close();
}

void FrameChannel::CloseWhenSent() {
  if (std::exchange(closing_, true)) return;
  Flush();
  stream_.CloseWhenWritten();
}

size_t FrameChannel::queued_bytes() const {
  return stream_.queued_bytes() + out_.size() + outgoing_bytes_;
}

void FrameChannel::Flush() {
  flush_wanted_ = false;
  if (!out_.empty()) {
    stream_.Write(out_);
    out_.clear();
  }
  SendChunks();
  PauseOrResume();
  Recharge();
}

void FrameChannel::SendChunks() {
  for (int sent = 0; !outgoing_.empty() && stream_.queued_bytes() < kChunkWindowBytes; ++sent) {
    if (sent == kChunksPerTurn) return SendMoreLater();
    Outgoing outgoing = std::move(outgoing_.front());
    outgoing_.pop_front();
    SendChunk(outgoing);
    if (outgoing.sent < outgoing.bytes->bytes().size()) outgoing_.push_back(std::move(outgoing));
  }
}

void FrameChannel::SendMoreLater() {
  if (std::exchange(more_later_, true)) return;
  loop_.Post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    more_later_ = false;
    Flush();
  });
}

void FrameChannel::SendChunk(Outgoing& outgoing) {
  const std::string_view rest = outgoing.bytes->bytes().substr(outgoing.sent);
  const std::string_view data = rest.substr(0, kChunkBytes);
  wire::Frame frame;
  wire::Chunk& chunk = *frame.mutable_chunk();
  chunk.set_payload(outgoing.payload);
  chunk.set_data(data.data(), data.size());
  chunk.set_last(data.size() == rest.size());
  outgoing.sent += data.size();
  outgoing_bytes_ -= data.size();
  ++counters_.chunks_sent;
  std::string bytes;
  AppendFrame(frame, bytes);
  stream_.Write(bytes);
}

void FrameChannel::PauseOrResume() {
  // Whoever asks must go on reading: the echo that shows the peer alive, and the answers that two
  // channels full of requests wait for.
  if (!serves_) return;
  const bool pause = queued_bytes() > (paused_ ? kPauseBytes / 2 : kPauseBytes);
  if (pause == paused_) return;
  paused_ = pause;
  if (pause) {
    stream_.PauseReading();
  } else {
    stream_.ResumeReading();
  }
}

void FrameChannel::Recharge() {
  // Large fields that wait to be sent are blobs, which charge themselves.
  charge_.Resize(kBaseBytes + decoder_.capacity() + get_frame_.memory() + inbox_.bytes() +
                 out_.capacity() + stream_.queued_bytes());
}

void FrameChannel::OnOpen() {
  delegate_.OnChannelOpen();
}

void FrameChannel::OnData(std::string_view bytes) {
  last_heard_ = loop_.clock().Now();
  decoder_.Lend(bytes);
  const std::weak_ptr alive(alive_);
  std::string_view frame;
  for (;;) {
    const FrameDecoder::Status status = decoder_.NextBytes(frame);
    if (status == FrameDecoder::Status::kNeedMore) return Recharge();
    if (status == FrameDecoder::Status::kMalformed || !Handle(frame)) {
      if (alive.expired()) return;
      nonsense_ = true;
      return stream_.Close();
    }
    if (alive.expired() || closing_) return;
  }
}

// False: it is none.
bool FrameChannel::Handle(std::string_view bytes) {
  if (trusted_ && ReadGetFrame(bytes, get_frame_)) {
    ++counters_.frames_received;
    delegate_.OnGetFrame(get_frame_);
    return true;
  }
  wire::Frame frame;
  if (decoder_.Parse(bytes, frame) != FrameDecoder::Status::kFrame) return false;
  if (!trusted_ && (!frame.detached().empty() || frame.has_chunk())) return false;
  const auto taken = inbox_.Take(frame);
  if (taken == PayloadInbox::Status::kIncomplete) return true;
  if (taken == PayloadInbox::Status::kMalformed) return false;
  ++counters_.frames_received;
  delegate_.OnFrame(frame);
  return true;
}

void FrameChannel::OnWritable() {
  Flush();
}

void FrameChannel::OnClosed(const net::CloseReason& reason) {
  closing_ = true;
  delegate_.OnChannelClosed(nonsense_ ? "what it sent is no frame" : reason.text);
}

}  // namespace cistern::cluster
