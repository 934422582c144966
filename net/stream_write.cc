// How what is written leaves.
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "net/stream_state.h"

namespace cistern::net {
namespace {

// For a peer to see the end, with what it sends until then.
constexpr cache::Duration kLingerTime = std::chrono::seconds(1);
constexpr size_t kMostLeftover = size_t{16} << 20;

uv_buf_t BufferOf(std::string_view bytes) {
  // libuv takes char* for reads and writes alike; a write only reads it.
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

}  // namespace

void Stream::State::Write(std::span<Piece> pieces) {
  if (closing || close_when_written) return;
  size_t sent = 0;
  if (open && !tls && all_written()) sent = SendNow(pieces);
  if (closing) return;
  for (Piece& piece : pieces) {
    const size_t skip = std::min(sent, piece.bytes.size());
    sent -= skip;
    if (skip == piece.bytes.size()) continue;
    queue.Add({piece.bytes.substr(skip), std::move(piece.owner)});
  }
  StartWrite();
}

// Returns how many bytes the kernel took.
size_t Stream::State::SendNow(std::span<Piece> pieces) {
  size_t sent = 0;
  while (!pieces.empty()) {
    uv_buf_t buffers[WriteQueue::kBatchPieces];
    const size_t count = std::min(pieces.size(), WriteQueue::kBatchPieces);
    size_t wanted = 0;
    for (size_t i = 0; i < count; ++i) {
      buffers[i] = BufferOf(pieces[i].bytes.substr(0, WriteQueue::kMaxPieceBytes));
      wanted += pieces[i].bytes.size();
    }
    const int taken = uv_try_write(stream(), buffers, static_cast<unsigned>(count));
    if (taken == UV_EAGAIN) return sent;
    if (taken < 0) {
      Close(CloseKind::kBroken, uv_strerror(taken));
      return sent;
    }
    sent += static_cast<size_t>(taken);
    if (static_cast<size_t>(taken) < wanted) return sent;
    pieces = pieces.subspan(count);
  }
  return sent;
}

void Stream::State::StartWrite() {
  if (!open || closing || !in_flight.empty()) return;
  if (tls) return SendCipher();
  if (queue.empty()) return;
  queue.MoveBatch(in_flight);
  SubmitInFlight();
}

void Stream::State::SubmitInFlight() {
  uv_buf_t buffers[WriteQueue::kBatchPieces];
  for (size_t i = 0; i < in_flight.size(); ++i)
    buffers[i] = BufferOf(in_flight[i].bytes());
  const int status =
      uv_write(&write, stream(), buffers, static_cast<unsigned>(in_flight.size()),
               [](uv_write_t* request, int result) { Of(request->data)->OnWritten(result); });
  if (status != 0) {
    in_flight.clear();
    Close(CloseKind::kBroken, uv_strerror(status));
  }
}

void Stream::State::OnWritten(int status) {
  in_flight.clear();  // lets go of the owners, also when cancelled
  if (closing) return;
  if (status != 0) return Close(CloseKind::kBroken, uv_strerror(status));
  StartWrite();
  if (closing || !all_written()) return;
  if (close_when_written) {
    Linger();
  } else {
    delegate->OnWritable();
  }
}

// A socket that is closed with bytes unread answers with a reset, which may overtake what was
// written last: the error that says why. So the peer is told of the end first, and what it had
// sent until then is read and thrown away.
void Stream::State::Linger() {
  if (lingering || closing) return;
  if (tls) EndTls(CloseKind::kLocal);
  uv_os_fd_t fd = -1;
  if (peer_ended || uv_fileno(&handle.base, &fd) != 0 || shutdown(fd, SHUT_WR) != 0)
    return Close(CloseKind::kLocal, "closed");
  lingering = true;
  linger_timer = loop.After(kLingerTime, [this] {
    linger_timer = 0;
    Close(CloseKind::kLocal, "closed");
  });
  SyncReadingOrClose();
}

void Stream::State::OnLeftover(ssize_t count) {
  leftover += count > 0 ? static_cast<size_t>(count) : 0;
  if (count < 0 || leftover > kMostLeftover) Close(CloseKind::kLocal, "closed");
}

void Stream::Write(std::string_view bytes) {
  Piece piece{bytes, nullptr};
  Write({&piece, 1});
}

void Stream::Write(std::span<Piece> pieces) {
  assert(state_->loop.OnOwnThread());
  state_->Write(pieces);
}

size_t Stream::queued_bytes() const {
  if (state_->closing) return 0;
  const size_t taken =
      state_->in_flight.empty() ? 0 : uv_stream_get_write_queue_size(state_->stream());
  return taken + state_->queue.bytes();
}

}  // namespace cistern::net
