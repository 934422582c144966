// PeerSession: the serving side of a connection that a peer made.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/command_runner.h"
#include "cluster/frame_channel.h"
#include "cluster/handshake.h"
#include "cluster/peer_service.h"
#include "net/tls_source.h"

namespace cistern::cluster {

// Used on its loop's thread only. A hello comes first, anything else closes. Requests are answered
// in the order of their completion; answers of one turn leave in one write.
class PeerSession : public std::enable_shared_from_this<PeerSession>,
                    private FrameChannel::Delegate {
 public:
  // What sessions share; outlives them.
  struct Context {
    const Self& self;
    std::string_view secret;
    cache::Duration dead_after;
    PeerService& service;
    CommandRunner& commands;
    const net::TlsSource* tls = nullptr;  // null: bytes as they are
  };

  class Owner {
   public:
    virtual ~Owner() = default;
    // A peer has proved itself: its number. May call the service (PeerHeard).
    virtual cache::NodeId OnPeerHeard(const PeerIdentity& peer) = 0;
    // It has another list of members than before.
    virtual void OnPeerChanged(cache::NodeId node, const PeerIdentity& peer) = 0;
    // Last call. `peer` is empty when no hello went through. Should let the session go.
    virtual void OnSessionClosed(PeerSession& session, const std::string& peer,
                                 const std::string& reason) = 0;
  };

  static std::shared_ptr<PeerSession> Make(net::Loop& loop, const Context& context, Owner& owner);
  ~PeerSession() override;

  // Takes the socket, whatever comes of it. On failure the session is of no use. To close, let the
  // session go.
  net::Result<void> Start(int fd);
  // This node is stopping: asks the peer to close the connection when it has its answers. A peer
  // that is not heard for `dead_after` from now on is not waited for.
  void SayGoodbye();
  // Tells the peer what this node says of itself now.
  void Announce();
  bool is_control() const { return handshake_.kind() == wire::LINK_CONTROL; }
  bool is_paused() const { return channel_.is_paused(); }
  // It has not proved itself yet, or never will.
  bool is_stranger() const { return peer_.name.empty(); }
  FrameChannel::Counters counters() const { return channel_.counters(); }

 private:
  enum class State : uint8_t { kHello, kProof, kUp, kClosed };
  struct Answer {
    uint32_t index;
    cache::Result<cache::PeerReply> reply;
  };

  PeerSession(net::Loop& loop, const Context& context, Owner& owner);

  void OnFrame(wire::Frame& frame) override;
  void OnGetFrame(const GetFrameView& frame) override;
  void OnChannelClosed(const std::string& reason) override;

  void AwaitHello();
  void OnHello(const wire::Frame& frame);
  void OnProof(const wire::Frame& frame);
  void OnPeerChanged(const wire::Identity& identity);
  void Unknown(uint64_t id);
  void OnGet(const wire::Frame& frame);
  void OnGets(uint64_t id, uint64_t epoch, std::span<const GetItemView> items);
  std::vector<uint32_t> AnswerHits(uint64_t id, uint64_t epoch, std::span<const GetItemView> items);
  void Load(uint64_t id, uint64_t epoch, uint32_t index, const GetItemView& item);
  void OnGetDone(uint64_t id, uint32_t index, cache::Result<cache::PeerReply> reply);
  void SendGetReplies();
  void SendGetReply(uint64_t id, const std::vector<Answer>& answers);
  void SendLarge(uint64_t id, const Answer& answer);
  void OnInvalidate(wire::Frame& frame);
  void Purge(uint64_t id, const cache::PurgeScope& scope, cache::PurgeRound round);
  void InvalidateAtOwner(uint64_t id, std::vector<std::string> keys);
  void OnCommand(wire::Frame& frame);
  void Refuse(std::string reason);
  void WatchSilence();
  wire::Frame NewFrame(uint64_t id) const;

  net::Loop& loop_;
  const Context& context_;
  const std::shared_ptr<const Identity> shown_;  // what the hello says of this node
  Owner& owner_;
  State state_ = State::kHello;
  FrameChannel channel_;
  ServerHandshake handshake_;
  PeerIdentity peer_;
  std::string refused_;      // why the session closes by its own will
  cache::Duration silence_;  // after so much of it the peer is gone
  cache::NodeId node_ = 0;
  std::unordered_map<uint64_t, std::vector<Answer>> answers_;  // of this turn, by request
  cache::Executor::TimerId timer_ = 0;  // hello's deadline, then the watch over silence
};

}  // namespace cistern::cluster
