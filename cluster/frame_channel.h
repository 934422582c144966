// FrameChannel: one connection that carries frames, either side's. Frames of one loop turn leave in
// one write; large fields leave in chunks, in turn, so that none holds up what comes after it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cache/budget.h"
#include "cluster/frame_codec.h"
#include "cluster/get_codec.h"
#include "cluster/payload_inbox.h"
#include "cluster/peer.pb.h"
#include "cluster/wire_values.h"
#include "net/stream.h"

namespace cistern::cluster {

// Used on its loop's thread only.
class FrameChannel : private net::StreamDelegate {
 public:
  // None of these is called inside a call of the channel's methods; each may destroy the channel.
  class Delegate {
   public:
    virtual ~Delegate() = default;
    virtual void OnChannelOpen() {}  // Connect() succeeded
    virtual void OnFrame(wire::Frame& frame) = 0;
    // A frame of gets or of their replies, instead of OnFrame. Its views lie in what was read, and
    // are valid during this call.
    virtual void OnGetFrame(const GetFrameView& frame) = 0;
    // Last call: the connection was not made, broke, was ended, or carried nonsense.
    virtual void OnChannelClosed(const std::string& reason) = 0;
  };

  struct Counters {
    uint64_t frames_sent = 0;
    uint64_t frames_received = 0;
    uint64_t chunks_sent = 0;
  };

  // `delegate` and `budget`, which the channel's buffers are charged to, outlive it.
  FrameChannel(net::Loop& loop, cache::Budget& budget, Delegate& delegate);

  // `tls` as in Stream.
  void Connect(const net::Address& address, cache::Duration timeout,
               std::shared_ptr<const net::TlsContext> tls = nullptr);
  net::Result<void> Adopt(int fd, std::shared_ptr<const net::TlsContext> tls = nullptr);

  // Until the other side has proved itself it may send small frames without chunks only: of so many
  // bytes, by default as a hello with the longest list of members has.
  void LimitStranger(size_t frame_bytes) { decoder_.set_max_frame_bytes(frame_bytes); }
  void Trust();

  // Leaves at the end of the turn; its `large` fields follow.
  void Send(wire::Frame frame, const std::vector<LargeField>& large = {});
  // Calls write(std::string& out), which appends whole frames, as many as it returns. They leave at
  // the end of the turn, together with all others of it.
  template <class Write>
  void SendWritten(Write write) {
    if (closing_) return;
    const uint64_t frames = write(out_);
    counters_.frames_sent += frames;
    if (frames > 0) FlushAtTurnEnd();
  }
  // Leaves at once, before everything of this turn and before large fields that wait.
  void SendAhead(const wire::Frame& frame);
  void Close();
  // Frames sent before still leave, large fields do not.
  void CloseWhenSent();

  // Whether the other side takes its answers so slowly that nothing more is read from it.
  bool is_paused() const { return paused_; }
  // Of bytes written, to be written, or in large fields that wait.
  size_t queued_bytes() const;
  // When anything was last read.
  cache::Instant last_heard() const { return last_heard_; }
  const Counters& counters() const { return counters_; }

 private:
  struct Outgoing {
    uint64_t payload;
    cache::BlobPtr bytes;
    size_t sent = 0;
  };

  void OnOpen() override;
  void OnData(std::string_view bytes) override;
  void OnWritable() override;
  void OnClosed(const net::CloseReason& reason) override;

  bool Handle(std::string_view bytes);
  void FlushAtTurnEnd();
  void Flush();
  void SendChunks();
  void SendMoreLater();
  void SendChunk(Outgoing& outgoing);
  void PauseOrResume();
  void Recharge();

  net::Loop& loop_;
  Delegate& delegate_;
  std::shared_ptr<const int> alive_;  // expired: the channel was destroyed by a callee
  FrameDecoder decoder_;
  PayloadInbox inbox_;
  cache::Charge charge_;
  bool trusted_ = false;
  bool nonsense_ = false;
  bool serves_ = false;  // accepted, not connected
  bool paused_ = false;
  bool closing_ = false;
  cache::Instant last_heard_;
  Counters counters_;
  std::string out_;         // frames of this turn
  GetFrameView get_frame_;  // its memory
  bool flush_wanted_ = false;
  bool more_later_ = false;
  std::deque<Outgoing> outgoing_;
  size_t outgoing_bytes_ = 0;
  uint64_t last_payload_ = 0;
  net::Stream stream_;
};

}  // namespace cistern::cluster
