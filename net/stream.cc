#include "net/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "net/stream_state.h"

namespace cistern::net {

Result<void> Stream::State::Adopt(int fd) {
  const int status = OpenHandle(fd);
  if (status == 0) return {};
  if (!std::exchange(open, false)) close(fd);  // else the handle has it
  return tl::unexpected(std::string(uv_strerror(status)));
}

int Stream::State::OpenHandle(int fd) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0)
    return uv_translate_sys_error(errno);
  const bool is_unix = own.ss_family == AF_UNIX;
  int status =
      is_unix ? uv_pipe_init(loop.raw(), &handle.pipe, 0) : uv_tcp_init(loop.raw(), &handle.tcp);
  if (status != 0) return status;
  has_handle = true;
  handle.base.data = this;
  write.data = this;
  status = is_unix ? uv_pipe_open(&handle.pipe, fd) : uv_tcp_open(&handle.tcp, fd);
  if (status != 0) return status;
  open = true;
  if (!is_unix) status = uv_tcp_nodelay(&handle.tcp, 1);
  if (status != 0) return status;
  return SyncReading();
}

void Stream::State::OnConnected(tl::expected<int, ConnectError> fd) {
  connector.reset();
  if (!fd) {
    Close(fd.error().timed_out ? CloseKind::kConnectTimeout : CloseKind::kConnectFailed,
          fd.error().text);
    return;
  }
  if (const auto adopted = Adopt(*fd); !adopted) {
    Close(CloseKind::kConnectFailed, adopted.error());
    return;
  }
  if (tls) return Handshake();
  OnOpened();
}

void Stream::State::OnOpened() {
  connecting = false;
  StartWrite();
  if (!closing) delegate->OnOpen();
  if (close_when_written && all_written()) Linger();
}

int Stream::State::SyncReading() {
  const bool waits = !lingering && (tls ? is_held_up() : paused);
  const bool wanted = open && !peer_ended && !waits;
  if (wanted == reading) return 0;
  reading = wanted;
  if (!wanted) return uv_read_stop(stream());
  return uv_read_start(
      stream(), [](uv_handle_t* h, size_t, uv_buf_t* buffer) { Of(h->data)->OnAlloc(buffer); },
      [](uv_stream_t* s, ssize_t count, const uv_buf_t* buffer) {
        Of(s->data)->OnRead(count, buffer->base);
      });
}

void Stream::State::SyncReadingOrClose() {
  if (const int status = SyncReading(); status != 0) Close(CloseKind::kBroken, uv_strerror(status));
}

// A read that filled its buffer makes libuv read again at once, until it sees EAGAIN. One read a
// turn is fair to the others, and saves that system call: no room the second time.
void Stream::State::OnAlloc(uv_buf_t* buffer) {
  *buffer = uv_buf_init(nullptr, 0);
  if (read_turn == loop.turn()) return;
  read_turn = loop.turn();
  std::span<char> room;
  if (!lingering) room = tls ? loop.filter_buffer() : delegate->ReadBuffer();
  if (room.empty()) room = loop.read_buffer();
  *buffer = uv_buf_init(room.data(),
                        static_cast<unsigned>(std::min(room.size(), WriteQueue::kMaxPieceBytes)));
}

void Stream::State::OnRead(ssize_t count, const char* base) {
  if (count == 0 || count == UV_ENOBUFS) return;  // nothing there, or OnAlloc's refusal
  if (lingering) return OnLeftover(count);
  if (count > 0) {
    const std::string_view bytes(base, static_cast<size_t>(count));
    if (tls) return OnCipher(bytes);
    delegate->OnData(bytes);
  } else if (tls && tls->state() == TlsFilter::State::kHandshake) {
    BreakTls("TLS: the connection ended during the handshake");
  } else if (count == UV_EOF) {
    OnPeerEnd();
  } else {
    Close(CloseKind::kBroken, uv_strerror(static_cast<int>(count)));
  }
}

void Stream::State::OnPeerEnd() {
  peer_ended = true;
  SyncReadingOrClose();
  if (!closing && !delegate->OnEnd()) Close(CloseKind::kEnd, "closed by peer");
}

void Stream::State::Close(CloseKind kind, std::string text) {
  if (closing) return;
  if (tls) EndTls(kind);
  closing = true;
  open = false;
  reason = {kind, std::move(text)};
  loop.Cancel(std::exchange(linger_timer, 0));
  connector.reset();
  queue.Clear();
  // Without a socket yet, an empty handle gives the close callback all the same.
  if (!has_handle && uv_pipe_init(loop.raw(), &handle.pipe, 0) != 0) std::abort();
  has_handle = true;
  handle.base.data = this;
  uv_close(&handle.base, [](uv_handle_t* h) { Of(h->data)->OnHandleClosed(); });
}

void Stream::State::OnHandleClosed() {
  if (!orphan) delegate->OnClosed(reason);  // may destroy the Stream, which then only sets `orphan`
  closed = true;
  if (orphan) delete this;
}

Stream::Stream(Loop& loop, StreamDelegate& delegate) : state_(new State(loop, delegate)) {}

Stream::~Stream() {
  if (state_->closed || !(state_->has_handle || state_->connector)) {
    delete state_;
    return;
  }
  state_->orphan = true;
  state_->delegate = nullptr;
  state_->Close(CloseKind::kLocal, "closed");
}

Result<void> Stream::Adopt(int fd, std::shared_ptr<const TlsContext> tls) {
  assert(state_->loop.OnOwnThread() && !state_->has_handle && !state_->connector);
  auto adopted = state_->Adopt(fd);
  if (adopted && tls) state_->AcceptTls(std::move(tls));
  return adopted;
}

void Stream::Connect(const Address& address, cache::Duration timeout,
                     std::shared_ptr<const TlsContext> tls) {
  assert(state_->loop.OnOwnThread() && !state_->has_handle && !state_->connector);
  State* state = state_;
  state->connecting = true;
  state->connector = std::make_unique<Connector>(
      state->loop, address, timeout,
      [state](tl::expected<int, ConnectError> fd) { state->OnConnected(std::move(fd)); });
  if (tls) state->ConnectTls(std::move(tls), timeout);
}

void Stream::PauseReading() {
  if (state_->closing || state_->paused) return;
  state_->paused = true;
  state_->SyncReadingOrClose();
}

void Stream::ResumeReading() {
  if (state_->closing || !state_->paused || state_->close_when_written) return;
  state_->paused = false;
  if (state_->tls) state_->DecryptLater();
  state_->SyncReadingOrClose();
}

void Stream::Close() {
  assert(state_->loop.OnOwnThread());
  state_->Close(CloseKind::kLocal, "closed");
}

void Stream::CloseWhenWritten() {
  if (state_->closing || state_->close_when_written) return;
  PauseReading();
  state_->close_when_written = true;
  if (state_->open && state_->all_written()) state_->Linger();
}

bool Stream::is_open() const {
  return state_->open && !state_->connecting;
}

bool Stream::is_closing() const {
  return state_->closing;
}

void IgnoreSigpipe() {
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) std::abort();
}

}  // namespace cistern::net
