// Stream: an ordered two-way flow of bytes over TCP or a unix socket, in TLS or as they are, with
// writes that never block and are bounded by whoever looks at queued_bytes().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "cache/clock.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/tls_context.h"
#include "net/write_queue.h"

namespace cistern::net {

enum class CloseKind : uint8_t {
  kLocal,           // Close() was called
  kEnd,             // the peer closed it in order
  kBroken,          // it was open and broke: reset, broken pipe
  kTlsFailed,       // it was open, and TLS refused the peer, what it sent, or was refused by it
  kConnectFailed,   // refused, unreachable, name not resolved, handshake failed
  kConnectTimeout,  // not open within the connect timeout
};

struct CloseReason {
  CloseKind kind;
  std::string text;  // "connection refused", "connection reset by peer"; without the address
};

// Who hears of a stream. All calls come on the loop's thread, never inside a call of the stream's
// methods. In each the delegate may call the stream's methods, or destroy the stream.
class StreamDelegate {
 public:
  virtual ~StreamDelegate() = default;

  // Connect() succeeded, TLS's handshake with it.
  virtual void OnOpen() {}
  // Where the read that comes now shall go; empty: the loop's read buffer. A delegate that holds a
  // partial message may return the free part of a buffer of its own, so that a large value is not
  // copied. Valid until the OnData that follows at once (or does not: then nothing was read).
  virtual std::span<char> ReadBuffer() { return {}; }
  // `bytes` (never empty) lie in the read buffer and are valid during this call only.
  virtual void OnData(std::string_view bytes) = 0;
  // All that was queued has left.
  virtual void OnWritable() {}
  // The peer sends no more. False: the stream closes now, with kEnd. True: it stays open for
  // writing until Close() or CloseWhenWritten().
  virtual bool OnEnd() { return false; }
  // Last call, once: from the handle's close callback. May delete the stream.
  virtual void OnClosed(const CloseReason& reason) = 0;
};

// Used on its loop's thread only. Begins with exactly one of Adopt() and Connect().
//
// With TLS the delegate sees and writes plain bytes, and a close in order is told to the peer. A
// peer that closes its socket without telling so has ended all the same: what our protocols carry
// says itself where it ends.
class Stream {
 public:
  // `delegate` outlives the stream.
  Stream(Loop& loop, StreamDelegate& delegate);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // At any time: closes the socket if it is open; the delegate hears nothing more, not even
  // OnClosed.
  ~Stream();

  // Takes over a connected TCP or unix socket, which is closed on failure too. It is open at once
  // (no OnOpen), and reads. With `tls` the peer begins a handshake; what is written before it is
  // over is queued.
  Result<void> Adopt(int fd, std::shared_ptr<const TlsContext> tls = nullptr);
  // Answered by OnOpen, or OnClosed. What is written meanwhile is queued.
  void Connect(const Address& address, cache::Duration timeout,
               std::shared_ptr<const TlsContext> tls = nullptr);

  // Sends at once what the socket takes, queues the rest in order. Ignored once closing. A failure
  // is told by OnClosed.
  void Write(std::string_view bytes);
  void Write(std::span<Piece> pieces);  // owners of what is queued are moved out
  // Bytes written but not yet taken by the kernel; of TLS's own, only those on their way with them.
  size_t queued_bytes() const;

  // While paused no OnData comes, and the peer feels it once the kernel's buffers are full. Costs
  // system calls: for a peer that must really wait. Streams begin unpaused.
  void PauseReading();
  void ResumeReading();

  // Drops what is queued. Idempotent. After it only OnClosed comes.
  void Close();
  // Closes with kLocal when all has left and the peer has ended its side too, or a second later. No
  // OnData comes any more. Whoever does not read keeps it waiting: bound it by Close().
  void CloseWhenWritten();
  bool is_open() const;     // connected, and not closing
  bool is_closing() const;  // Close() was called or the stream broke; also true ever after

 private:
  struct State;  // outlives the Stream until libuv has let go of the handle
  State* state_;
};

// write(2) to a closed socket must be an error, not the end of the process. Called once by main
// (and by test programs) before any loop runs.
void IgnoreSigpipe();

}  // namespace cistern::net
