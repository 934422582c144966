// PeerLink: the asking side of a connection to one peer: connects, says hello, connects again when
// it was lost, and judges whether the peer can be reached.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cluster/frame_channel.h"
#include "cluster/handshake.h"
#include "cluster/link_requests.h"
#include "net/backoff.h"
#include "net/tls_source.h"

namespace cistern::cluster {

// What is asked while the link is being made for the first time, or again after it broke, waits for
// the outcome; what is asked of a peer that has been found unreachable is answered at once. A peer
// is unreachable when a connection cannot be made within `connect_timeout`, or its hello or echo
// does not come within `dead_after`: until the next hello. A slow answer is no reason for anything.
// After a goodbye nothing new is asked, and the link closes when all has been answered.
//
// Used on its loop's thread only.
class PeerLink : private FrameChannel::Delegate, private LinkRequests::Connection {
 public:
  struct Config {
    std::string node;  // the name that must be found there
    net::Address address;
    wire::LinkKind kind = wire::LINK_DATA;
    cache::Duration connect_timeout = std::chrono::milliseconds(500);
    cache::Duration dead_after = std::chrono::seconds(1);
    const net::TlsSource* tls = nullptr;  // null: bytes as they are
  };

  class Observer {
   public:
    virtual ~Observer() = default;
    // Before anything that waited is sent.
    virtual void OnLinkUp(const PeerIdentity& peer) = 0;
    // A link that was up was lost, or could not be made. Told once, not at every further try.
    virtual void OnLinkDown(const std::string& reason) = 0;
    // The peer is stopping. Before anything that it should have been asked is refused.
    virtual void OnGoodbye() = 0;
    // The peer has another list of members than before.
    virtual void OnPeerChanged(const PeerIdentity& peer) = 0;
    virtual void OnEcho(cache::Duration round_trip) = 0;
    // Nothing has been heard since then, so the link goes down.
    virtual void OnSilence(cache::Instant since) = 0;
  };

  // All outlive the link. What it holds is charged to `budget`. After Stop() it may be destroyed on
  // any thread.
  PeerLink(net::Loop& loop, Config config, const Self& self, std::string_view secret,
           cache::Budget& budget, Observer& observer);
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;
  ~PeerLink() override;

  void Start();
  // Closes, and answers everything; what is asked later is answered with kShutdown.
  void Stop();

  // As in PeerPicker; `operation` is unique for this start of this node.
  void Fetch(std::shared_ptr<cache::PeerFetch> fetch);
  void Notify(cache::Incarnation incarnation, cache::Notice notice,
              cache::CompletionPtr<bool> acknowledged);
  void Invalidate(std::vector<std::string> keys, LinkRequests::Done done);
  void Purge(cache::PurgeScope scope, cache::PurgeRound round, LinkRequests::PurgeDone done);
  void Run(uint64_t operation, std::vector<std::string> args, LinkRequests::CommandDone done);

  // Tells the peer what this node says of itself now.
  void Announce();

  const net::Address& address() const { return config_.address; }
  bool is_up() const { return state_ == State::kUp; }
  bool is_unreachable() const { return unreachable_; }
  // Of the connection that there is now.
  FrameChannel::Counters counters() const;

 private:
  enum class State : uint8_t { kStopped, kConnecting, kHello, kUp, kLeaving, kWaiting };

  void OnChannelOpen() override;
  void OnFrame(wire::Frame& frame) override;
  void OnGetFrame(const GetFrameView& frame) override;
  void OnChannelClosed(const std::string& reason) override;
  void Send(wire::Frame frame, const std::vector<LargeField>& large) override;
  void SendWritten(const WriteFrames& write) override;

  void Connect();
  void AwaitHello();
  void OnHelloFrame(wire::Frame& frame);
  void OnWelcome(const wire::Welcome& welcome);
  void OnEcho(const wire::Echo& echo);
  void OnPeerChanged(const wire::Identity& identity);
  void OnGoodbye();
  // The peer waits for this when it has said goodbye.
  void CloseIfAnswered();
  // The connection is given up. `dead`: not only lost, the peer does not answer.
  void Down(const std::string& reason, bool dead);
  void Retry(cache::Duration delay);
  void Tick();
  void SendPing(cache::Instant now);
  void Asked();
  void SendUnsent();
  wire::Frame NewFrame() const;

  net::Loop& loop_;
  const Config config_;
  const Self& self_;
  const std::string_view secret_;
  cache::Budget& budget_;
  Observer& observer_;
  State state_ = State::kStopped;
  bool unreachable_ = false;
  bool down_told_ = false;
  std::unique_ptr<FrameChannel> channel_;
  std::optional<ClientHandshake> handshake_;
  std::shared_ptr<const Identity> shown_;  // what the hello says of this node
  PeerIdentity peer_;
  LinkRequests requests_;
  bool turn_end_wanted_ = false;
  net::Backoff backoff_;
  cache::Executor::TimerId timer_ = 0;  // hello's deadline, next tick or next try
  cache::Instant up_since_;
  cache::Instant last_tick_;
  cache::Instant ping_sent_;
  uint64_t ping_token_ = 0;  // of the ping under way; 0: none
  uint64_t last_token_ = 0;
  std::shared_ptr<const int> alive_;  // for what is posted
};

}  // namespace cistern::cluster
