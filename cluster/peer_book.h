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
  std::string last_error;              // of the control connection; empty while connected
};

// All methods are thread-safe.
class PeerBook {
 public:
  // A hello of the node came through. True: it has been heard before, as another incarnation.
  bool Heard(cache::NodeId node, cache::Incarnation incarnation) {
    const std::lock_guard lock(mutex_);
    const cache::Incarnation before = std::exchange(peers_[node].incarnation, incarnation);
    return before != 0 && before != incarnation;
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
  void LinkUp(cache::NodeId node) {
    const std::lock_guard lock(mutex_);
    ++peers_[node].links_up;
  }
  void LinkDown(cache::NodeId node) {
    const std::lock_guard lock(mutex_);
    --peers_[node].links_up;
  }
  void RoundTrip(cache::NodeId node, cache::Duration round_trip) {
    const std::lock_guard lock(mutex_);
    peers_[node].round_trip = round_trip;
  }
  PeerState State(cache::NodeId node) const {
    const std::lock_guard lock(mutex_);
    const auto at = peers_.find(node);
    return at == peers_.end() ? PeerState() : at->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<cache::NodeId, PeerState> peers_;
};

}  // namespace cistern::cluster
