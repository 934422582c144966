// How a stream's bytes pass through TLS: from the socket to the delegate, and from the queue to the
// socket.
#include <algorithm>
#include <cassert>
#include <utility>

#include "net/stream_state.h"

namespace cistern::net {
namespace {

// Encrypted ahead of the socket: what a connection whose peer does not read costs beside its queue.
constexpr size_t kPlainPerWrite = size_t{64} << 10;
// What TLS itself answers (to renewals of keys, refused renegotiations) while nothing can leave.
constexpr size_t kMostUnsentAnswers = size_t{64} << 10;
// An idle connection's output keeps no more room than small replies need.
constexpr size_t kKeptOutput = size_t{4} << 10;

std::string Millis(cache::Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

void Empty(std::string& output) {
  output.clear();
  if (output.capacity() > kKeptOutput) output.shrink_to_fit();
}

}  // namespace

void Stream::State::AcceptTls(std::shared_ptr<const TlsContext> context) {
  LimitHandshake(context->handshake_timeout());
  tls = std::make_unique<TlsFilter>(std::move(context), TlsFilter::Side::kAccepts);
  SyncReadingOrClose();
}

void Stream::State::ConnectTls(std::shared_ptr<const TlsContext> context, cache::Duration timeout) {
  LimitHandshake(timeout);
  tls = std::make_unique<TlsFilter>(std::move(context), TlsFilter::Side::kConnects);
}

void Stream::State::LimitHandshake(cache::Duration limit) {
  tls_timer = loop.After(limit, [this, limit] {
    Close(connecting ? CloseKind::kConnectTimeout : CloseKind::kTlsFailed,
          "TLS: no handshake within " + Millis(limit) + " ms");
  });
}

void Stream::State::Handshake() {
  tls->Handshake();
  if (tls->state() == TlsFilter::State::kFailed) return BreakTls(tls->error());
  const bool is_over = tls->state() == TlsFilter::State::kOpen;
  if (is_over) loop.Cancel(std::exchange(tls_timer, 0));
  const bool has_waited = !queue.empty();
  SendCipher();
  if (closing || !is_over) return;
  if (connecting) OnOpened();
  if (closing || !all_written()) return;
  if (close_when_written) {
    Linger();
  } else if (has_waited) {
    delegate->OnWritable();
  }
}

void Stream::State::OnCipher(std::string_view bytes) {
  tls->Feed(bytes);
  Decrypt();
}

void Stream::State::Decrypt() {
  if (tls->state() == TlsFilter::State::kHandshake) Handshake();
  Deliver();
  if (closing || lingering) return;
  if (tls->state() == TlsFilter::State::kFailed) return BreakTls(tls->error());
  SendCipher();
  if (closing) return;
  if (tls->output().size() > kMostUnsentAnswers) return BreakTls("TLS: its answers are not read");
  if (paused) {
    tls->Keep();
  } else if (tls->state() == TlsFilter::State::kEnded && !peer_ended) {
    return OnPeerEnd();
  }
  SyncReadingOrClose();
}

void Stream::State::Deliver() {
  while (!closing && !paused && tls->state() == TlsFilter::State::kOpen) {
    std::span<char> room = delegate->ReadBuffer();
    if (room.empty()) room = loop.read_buffer();
    const size_t got = tls->Read(room);
    if (got == 0) return;
    delegate->OnData({room.data(), got});
  }
}

// What is left of a read, when the delegate paused in the middle of it, comes in a later turn.
void Stream::State::DecryptLater() {
  if (!open || tls_timer != 0 || !is_held_up()) return;
  tls_timer = loop.After(cache::Duration(0), [this] {
    tls_timer = 0;
    Decrypt();
  });
}

// A handshake goes on while the delegate pauses: it may be what the delegate waits for.
bool Stream::State::is_held_up() const {
  if (tls->state() == TlsFilter::State::kHandshake) return false;
  return paused || tls->has_input() || tls->state() != TlsFilter::State::kOpen;
}

// Plain bytes are encrypted as the socket takes them, so that the queue stays what it is without
// TLS: large values are pinned, not copied.
void Stream::State::SendCipher() {
  std::string& output = tls->output();
  while (open && in_flight.empty()) {
    EncryptSome();
    if (output.empty()) break;
    const int status = TryWriteOutput();
    if (status < 0 && status != UV_EAGAIN) return Close(CloseKind::kBroken, uv_strerror(status));
    const size_t sent = status < 0 ? 0 : static_cast<size_t>(status);
    if (sent < output.size()) in_flight.push_back({std::move(output), {}, nullptr, sent});
    Empty(output);
    if (!in_flight.empty()) SubmitInFlight();
  }
  if (tls->state() == TlsFilter::State::kFailed) Close(CloseKind::kTlsFailed, tls->error());
}

void Stream::State::EncryptSome() {
  if (!tls->can_write() || queue.empty()) return;
  tls->output().reserve(std::min(queue.bytes(), kPlainPerWrite) + kKeptOutput);
  while (tls->can_write() && !queue.empty() && tls->output().size() < kPlainPerWrite) {
    const std::string_view plain = queue.front().substr(0, kPlainPerWrite);
    tls->Write(plain);
    queue.Drop(plain.size());
  }
}

int Stream::State::TryWriteOutput() {
  std::string& output = tls->output();
  const uv_buf_t buffer = uv_buf_init(output.data(), static_cast<unsigned>(output.size()));
  return output.empty() ? 0 : uv_try_write(stream(), &buffer, 1);
}

// The alert that tells the peer why leaves if it can.
void Stream::State::BreakTls(const std::string& why) {
  if (open && in_flight.empty()) TryWriteOutput();
  Close(connecting ? CloseKind::kConnectFailed : CloseKind::kTlsFailed, why);
}

// A peer is told of an end in order, not of one that cuts off what was to come.
void Stream::State::EndTls(CloseKind kind) {
  loop.Cancel(std::exchange(tls_timer, 0));
  const bool in_order = kind == CloseKind::kLocal || kind == CloseKind::kEnd;
  if (!in_order || !open || !all_written() || lingering) return;
  tls->End();
  TryWriteOutput();
}

}  // namespace cistern::net
