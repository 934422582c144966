// Identity: what a node says of itself to others, and what it knows of them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cache/clock.h"
#include "cache/peer_picker.h"
#include "cluster/member.h"
#include "cluster/peer.pb.h"

namespace cistern::cluster {

inline constexpr uint32_t kProtocolVersion = 1;

// What this node says of itself.
struct Identity {
  std::string name;
  cache::Incarnation incarnation = 0;
  uint64_t epoch = 0;
  std::vector<Member> members;
  uint64_t members_hash = 0;
  uint64_t change = 0;  // how often the list has changed since this start
  uint64_t groups_hash = 0;
  cache::Duration longest_lease{0};
  uint64_t features = 0;
  uint32_t min_version = kProtocolVersion;  // both ends included
  uint32_t max_version = kProtocolVersion;
};

// What is known of another node once its hello is through.
struct PeerIdentity {
  std::string name;
  cache::Incarnation incarnation = 0;
  uint64_t epoch = 0;
  std::vector<Member> members;  // sorted by name; empty: it sent no list that makes sense
  uint64_t members_hash = 0;
  uint64_t change = 0;
  uint64_t groups_hash = 0;
  cache::Duration longest_lease{0};
  uint64_t features = 0;  // that both sides have
  uint32_t version = 0;   // that is spoken
};

wire::Identity ToWire(const Identity& self);
PeerIdentity FromWire(const wire::Identity& identity, const Identity& self, uint32_t version);

// What a node says of itself may change, but neither its name nor its start.
inline bool IsSameNode(const PeerIdentity& a, const PeerIdentity& b) {
  return a.name == b.name && a.incarnation == b.incarnation;
}

// What this node says of itself now: replaced whole when its list of members changes. All methods
// are thread-safe.
class Self {
 public:
  explicit Self(Identity identity)
      : name_(identity.name),
        incarnation_(identity.incarnation),
        epoch_(identity.epoch),
        identity_(std::make_shared<const Identity>(std::move(identity))) {}

  // These never change.
  const std::string& name() const { return name_; }
  cache::Incarnation incarnation() const { return incarnation_; }
  // Shown with every frame.
  uint64_t epoch() const { return epoch_.load(); }
  std::shared_ptr<const Identity> identity() const {
    const std::lock_guard lock(mutex_);
    return identity_;
  }
  void ShowMembers(const MemberList& members, uint64_t epoch);

 private:
  const std::string name_;
  const cache::Incarnation incarnation_;
  std::atomic<uint64_t> epoch_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Identity> identity_;
};

}  // namespace cistern::cluster
