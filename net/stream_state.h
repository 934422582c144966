// What stream.cc, stream_write.cc and stream_tls.cc share: the libuv side of a Stream. For them
// alone.
#pragma once

#include <uv.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/connector.h"
#include "net/stream.h"
#include "net/tls_filter.h"
#include "net/write_queue.h"

namespace cistern::net {

struct Stream::State {
  State(Loop& on, StreamDelegate& to) : loop(on), delegate(&to) {}

  // The handle and what is read: stream.cc.
  Result<void> Adopt(int fd);
  int OpenHandle(int fd);
  void OnConnected(tl::expected<int, ConnectError> fd);
  void OnOpened();
  // Reads, or no longer, as it should be now.
  int SyncReading();
  void SyncReadingOrClose();
  void OnAlloc(uv_buf_t* buffer);
  void OnRead(ssize_t count, const char* base);
  void OnPeerEnd();
  void Close(CloseKind kind, std::string text);
  void OnHandleClosed();

  // What is written: stream_write.cc.
  void Write(std::span<Piece> pieces);
  size_t SendNow(std::span<Piece> pieces);
  void StartWrite();
  void SubmitInFlight();
  void OnWritten(int status);
  void Linger();
  void OnLeftover(ssize_t count);
  bool all_written() const { return queue.empty() && in_flight.empty(); }

  // What TLS does between them: stream_tls.cc.
  void AcceptTls(std::shared_ptr<const TlsContext> context);
  void ConnectTls(std::shared_ptr<const TlsContext> context, cache::Duration timeout);
  void LimitHandshake(cache::Duration limit);
  void Handshake();
  void OnCipher(std::string_view bytes);
  void Decrypt();
  void Deliver();
  void DecryptLater();
  bool is_held_up() const;  // nothing may be read from the socket now
  void SendCipher();
  void EncryptSome();
  int TryWriteOutput();
  void BreakTls(const std::string& why);
  void EndTls(CloseKind kind);

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

  WriteQueue queue;                         // not given to libuv yet
  std::vector<WriteQueue::Held> in_flight;  // one uv_write under way
  uint64_t read_turn = UINT64_MAX;

  std::unique_ptr<TlsFilter> tls;  // null: bytes pass as they are
  Loop::TimerId tls_timer = 0;     // the handshake's limit, later a Decrypt() to come

  Loop::TimerId linger_timer = 0;
  size_t leftover = 0;  // bytes thrown away

  bool has_handle = false;
  bool connecting = false;  // Connect() was called, OnOpen not yet
  bool reading = false;
  bool open = false;
  bool paused = false;
  bool peer_ended = false;
  bool close_when_written = false;
  bool lingering = false;  // all is written; what still comes is thrown away
  bool closing = false;
  bool closed = false;
  bool orphan = false;  // the Stream is gone: the close callback frees this
  CloseReason reason{CloseKind::kLocal, ""};
};

}  // namespace cistern::net
