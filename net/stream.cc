#include "net/stream.h"

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cassert>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <utility>

#include "net/connector.h"

namespace cistern::net {
namespace {

// Buffers of one system call, and about how many bytes one queued write holds: small enough that
// the owners of what has left are let go soon.
constexpr size_t kBuffersPerWrite = 64;
constexpr size_t kBytesPerWrite = 1 << 20;
// Copies are gathered into strings of about this size, so that many small replies to a slow reader
// do not become many buffers.
constexpr size_t kGatherBytes = size_t{64} << 10;

uv_buf_t BufferOf(std::string_view bytes) {
  // libuv takes char* for reads and writes alike; a write only reads it.
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

struct Queued {
  std::string copy;
  std::string_view pinned;
  std::shared_ptr<const void> owner;  // of `pinned`; null: `copy` holds the bytes

  std::string_view bytes() const { return owner ? pinned : std::string_view(copy); }
};

// uv_write takes buffers of less than 4 GiB.
constexpr size_t kMaxPiece = size_t{1} << 30;

}  // namespace

// TLS would stand between OnRead and the delegate's OnData, and between Write and SendNow/Enqueue:
// every byte of a stream passes these two places.
struct Stream::State {
  State(Loop& on, StreamDelegate& to) : loop(on), delegate(&to) {}

  Result<void> Adopt(int fd);
  int OpenHandle(int fd);
  void OnConnected(tl::expected<int, ConnectError> fd);
  int StartReading();
  void OnAlloc(uv_buf_t* buffer);
  void OnRead(ssize_t count, const char* base);
  void OnPeerEnd();

  void Write(std::span<Piece> pieces);
  size_t SendNow(std::span<Piece> pieces);
  void Enqueue(Piece piece);
  void StartWrite();
  void OnWritten(int status);

  void Close(CloseKind kind, std::string text);
  void OnHandleClosed();

  uv_stream_t* stream() { return &handle.stream; }
  static State* Of(const void* data) { return static_cast<State*>(const_cast<void*>(data)); }

  Loop& loop;
  StreamDelegate* delegate;  // null once the Stream is gone
  std::unique_ptr<Connector> connector;
  union {
    uv_handle_t base;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle{};
  uv_write_t write{};

  std::deque<Queued> queue;       // not given to libuv yet
  std::vector<Queued> in_flight;  // one uv_write under way
  size_t queue_bytes = 0;         // of `queue`
  uint64_t read_turn = UINT64_MAX;

  bool has_handle = false;
  bool open = false;
  bool paused = false;
  bool peer_ended = false;
  bool close_when_written = false;
  bool closing = false;
  bool closed = false;
  bool orphan = false;  // the Stream is gone: the close callback frees this
  CloseReason reason{CloseKind::kLocal, ""};
};

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
  return paused ? 0 : StartReading();
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
  StartWrite();
  if (!closing) delegate->OnOpen();
  if (close_when_written && queue.empty() && in_flight.empty()) Close(CloseKind::kLocal, "closed");
}

int Stream::State::StartReading() {
  return uv_read_start(
      stream(), [](uv_handle_t* h, size_t, uv_buf_t* buffer) { Of(h->data)->OnAlloc(buffer); },
      [](uv_stream_t* s, ssize_t count, const uv_buf_t* buffer) {
        Of(s->data)->OnRead(count, buffer->base);
      });
}

// A read that filled its buffer makes libuv read again at once, until it sees EAGAIN. One read a
// turn is fair to the others, and saves that system call: no room the second time.
void Stream::State::OnAlloc(uv_buf_t* buffer) {
  *buffer = uv_buf_init(nullptr, 0);
  if (read_turn == loop.turn()) return;
  read_turn = loop.turn();
  std::span<char> room = delegate->ReadBuffer();
  if (room.empty()) room = loop.read_buffer();
  *buffer = uv_buf_init(room.data(), static_cast<unsigned>(std::min(room.size(), kMaxPiece)));
}

void Stream::State::OnRead(ssize_t count, const char* base) {
  if (count == 0 || count == UV_ENOBUFS) return;  // nothing there, or OnAlloc's refusal
  if (count > 0) {
    delegate->OnData({base, static_cast<size_t>(count)});
  } else if (count == UV_EOF) {
    OnPeerEnd();
  } else {
    Close(CloseKind::kBroken, uv_strerror(static_cast<int>(count)));
  }
}

void Stream::State::OnPeerEnd() {
  peer_ended = true;
  const int status = uv_read_stop(stream());
  if (status != 0 || !delegate->OnEnd()) Close(CloseKind::kEnd, "closed by peer");
}

void Stream::State::Write(std::span<Piece> pieces) {
  if (closing || close_when_written) return;
  size_t sent = 0;
  if (open && queue.empty() && in_flight.empty()) sent = SendNow(pieces);
  if (closing) return;
  for (Piece& piece : pieces) {
    const size_t skip = std::min(sent, piece.bytes.size());
    sent -= skip;
    if (skip == piece.bytes.size()) continue;
    Enqueue({piece.bytes.substr(skip), std::move(piece.owner)});
  }
  StartWrite();
}

// Returns how many bytes the kernel took.
size_t Stream::State::SendNow(std::span<Piece> pieces) {
  size_t sent = 0;
  while (!pieces.empty()) {
    uv_buf_t buffers[kBuffersPerWrite];
    const size_t count = std::min(pieces.size(), kBuffersPerWrite);
    size_t wanted = 0;
    for (size_t i = 0; i < count; ++i) {
      buffers[i] = BufferOf(pieces[i].bytes.substr(0, kMaxPiece));
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

void Stream::State::Enqueue(Piece piece) {
  queue_bytes += piece.bytes.size();
  if (!piece.owner) {
    const bool joins =
        !queue.empty() && !queue.back().owner && queue.back().copy.size() < kGatherBytes;
    if (!joins) queue.emplace_back();
    queue.back().copy += piece.bytes;
    return;
  }
  for (; piece.bytes.size() > kMaxPiece; piece.bytes.remove_prefix(kMaxPiece))
    queue.push_back({"", piece.bytes.substr(0, kMaxPiece), piece.owner});
  queue.push_back({"", piece.bytes, std::move(piece.owner)});
}

void Stream::State::StartWrite() {
  if (!open || closing || !in_flight.empty() || queue.empty()) return;
  size_t bytes = 0;
  while (!queue.empty() && in_flight.size() < kBuffersPerWrite && bytes < kBytesPerWrite) {
    bytes += queue.front().bytes().size();
    in_flight.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  queue_bytes -= bytes;
  uv_buf_t buffers[kBuffersPerWrite];
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
  if (status != 0) {
    Close(CloseKind::kBroken, uv_strerror(status));
  } else if (!queue.empty()) {
    StartWrite();
  } else if (close_when_written) {
    Close(CloseKind::kLocal, "closed");
  } else {
    delegate->OnWritable();
  }
}

void Stream::State::Close(CloseKind kind, std::string text) {
  if (closing) return;
  closing = true;
  open = false;
  reason = {kind, std::move(text)};
  connector.reset();
  queue.clear();
  queue_bytes = 0;
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

Result<void> Stream::Adopt(int fd) {
  assert(state_->loop.OnOwnThread() && !state_->has_handle && !state_->connector);
  return state_->Adopt(fd);
}

void Stream::Connect(const Address& address, cache::Duration timeout) {
  assert(state_->loop.OnOwnThread() && !state_->has_handle && !state_->connector);
  State* state = state_;
  state->connector = std::make_unique<Connector>(
      state->loop, address, timeout,
      [state](tl::expected<int, ConnectError> fd) { state->OnConnected(std::move(fd)); });
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
  return taken + state_->queue_bytes;
}

void Stream::PauseReading() {
  if (state_->closing || state_->paused) return;
  state_->paused = true;
  if (!state_->open) return;
  if (const int status = uv_read_stop(state_->stream()); status != 0)
    state_->Close(CloseKind::kBroken, uv_strerror(status));
}

void Stream::ResumeReading() {
  if (state_->closing || !state_->paused || state_->close_when_written) return;
  state_->paused = false;
  if (!state_->open || state_->peer_ended) return;
  if (const int status = state_->StartReading(); status != 0)
    state_->Close(CloseKind::kBroken, uv_strerror(status));
}

void Stream::Close() {
  assert(state_->loop.OnOwnThread());
  state_->Close(CloseKind::kLocal, "closed");
}

void Stream::CloseWhenWritten() {
  if (state_->closing || state_->close_when_written) return;
  PauseReading();
  if (state_->open && state_->queue.empty() && state_->in_flight.empty()) {
    Close();
  } else {
    state_->close_when_written = true;
  }
}

bool Stream::is_open() const {
  return state_->open;
}

bool Stream::is_closing() const {
  return state_->closing;
}

void IgnoreSigpipe() {
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) std::abort();
}

}  // namespace cistern::net
