// PeerBook: what this node has heard of each other one.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "cache/clock.h"
#include "cache/peer_picker.h"

namespace cistern::cluster {

struct PeerState {
  bool connected = false;  // the control connection that this node made
  size_t links_up = 0;     // that this node made: control, and one a worker
  size_t sessions = 0;     // connections that the peer made
  cache::Duration round_trip{0};
  cache::Incarnation incarnation = 0;  // 0: never heard
  cache::Incarnation left = 0;         // the one that has said goodbye
  cache::Instant last_echo;            // on any connection
  bool silent = false;                 // no connection hears it, though some are not down yet
  std::string last_error;              // of the control connection; empty while connected
};

// All methods are thread-safe.
class PeerBook {
 public:
  // What a hello tells, beside that the node is there.
  struct News {
    bool after_silence = false;  // it could not be reached
    bool restarted = false;      // it has been heard before, as another incarnation
  };
  // A hello of the node came through, on a connection that it made.
  News SessionUp(cache::NodeId node, cache::Incarnation incarnation) {
    const std::lock_guard lock(mutex_);
    ++peers_[node].sessions;
    return Heard(peers_[node], incarnation);
  }
  void SessionDown(cache::NodeId node) {
    const std::lock_guard lock(mutex_);
    --peers_[node].sessions;
  }
  void Connected(cache::NodeId node) {
    const std::lock_guard lock(mutex_);
    peers_[node].connected = true;
    peers_[node].last_error.clear();
  }
  void Disconnected(cache::NodeId node, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    peers_[node].connected = false;
    peers_[node].last_error = reason;
  }
  // ... on one that this node made.
  News LinkUp(cache::NodeId node, cache::Incarnation incarnation) {
    const std::lock_guard lock(mutex_);
    const News news = Heard(peers_[node], incarnation);
    ++peers_[node].links_up;
    return news;
  }
  void LinkDown(cache::NodeId node) {
    const std::lock_guard lock(mutex_);
    --peers_[node].links_up;
  }
  void RoundTrip(cache::NodeId node, cache::Duration round_trip) {
    const std::lock_guard lock(mutex_);
    peers_[node].round_trip = round_trip;
  }
  // A connection that this node made has echoed a ping.
  News Echoed(cache::NodeId node, cache::Instant now) {
    const std::lock_guard lock(mutex_);
    PeerState& peer = peers_[node];
    peer.last_echo = now;
    return {std::exchange(peer.silent, false), false};
  }
  // A connection has heard nothing since then, for too long. The others find out for themselves, up
  // to a ping's interval later; if none has heard anything either, they need not be waited for.
  void Silent(cache::NodeId node, cache::Instant since) {
    const std::lock_guard lock(mutex_);
    PeerState& peer = peers_[node];
    if (peer.last_echo <= since) peer.silent = true;
  }
  // Its present incarnation is stopping.
  void SaidGoodbye(cache::NodeId node) {
    const std::lock_guard lock(mutex_);
    peers_[node].left = peers_[node].incarnation;
  }
  // One that has said goodbye may still answer; but nobody is to count on its hearing of anything.
  bool IsReachable(cache::NodeId node) const {
    const PeerState state = State(node);
    return state.links_up > 0 && !state.silent && state.left != state.incarnation;
  }
  PeerState State(cache::NodeId node) const {
    const std::lock_guard lock(mutex_);
    const auto at = peers_.find(node);
    return at == peers_.end() ? PeerState() : at->second;
  }

 private:
  static News Heard(PeerState& peer, cache::Incarnation incarnation) {
    const cache::Incarnation before = std::exchange(peer.incarnation, incarnation);
    const bool was_silent = std::exchange(peer.silent, false);
    return {was_silent || peer.links_up == 0, before != 0 && before != incarnation};
  }

  mutable std::mutex mutex_;
  std::map<cache::NodeId, PeerState> peers_;
};

}  // namespace cistern::cluster
