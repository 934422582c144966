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
  cache::Duration round_trip{0};
  cache::Incarnation incarnation = 0;  // 0: never heard
  cache::Incarnation left = 0;         // the one that has said goodbye
  std::string last_error;              // of the control connection; empty while connected
};

// All methods are thread-safe.
class PeerBook {
 public:
  // What a hello tells, beside that the node is there.
  struct News {
    bool after_silence = false;  // no connection to it was up
    bool restarted = false;      // it has been heard before, as another incarnation
  };
  // A hello of the node came through, on a connection that it made.
  News Heard(cache::NodeId node, cache::Incarnation incarnation) {
    const std::lock_guard lock(mutex_);
    return Heard(peers_[node], incarnation);
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
  // Its present incarnation is stopping.
  void SaidGoodbye(cache::NodeId node) {
    const std::lock_guard lock(mutex_);
    peers_[node].left = peers_[node].incarnation;
  }
  // One that has said goodbye may still answer; but nobody is to count on its hearing of anything.
  bool IsReachable(cache::NodeId node) const {
    const PeerState state = State(node);
    return state.links_up > 0 && state.left != state.incarnation;
  }
  PeerState State(cache::NodeId node) const {
    const std::lock_guard lock(mutex_);
    const auto at = peers_.find(node);
    return at == peers_.end() ? PeerState() : at->second;
  }

 private:
  static News Heard(PeerState& peer, cache::Incarnation incarnation) {
    const cache::Incarnation before = std::exchange(peer.incarnation, incarnation);
    return {peer.links_up == 0, before != 0 && before != incarnation};
  }

  mutable std::mutex mutex_;
  std::map<cache::NodeId, PeerState> peers_;
};

}  // namespace cistern::cluster
