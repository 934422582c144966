// Agreement: whether the nodes that this one knows of have its table of owners, and what follows
// while they have not.
#pragma once

#include <atomic>
#include <bitset>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cluster/identity.h"
#include "cluster/owner_table.h"

namespace cistern::cluster {

// While a list of members is being changed, one node after the other, two nodes may take themselves
// for the owner of a slot. Each then keeps what it has of it for a lease at most (Pick::disputed),
// and tells the other of every change (PeerPicker::Dissenters). All methods are thread-safe.
class Agreement {
 public:
  // This node's table, from now on; it outlives this. Before it is published.
  void SetOwn(const OwnerTable& own, cache::NodeId self);

  // A hello, or a change of what a node says of itself, in any order. True: slots of this node have
  // become disputed, so what it holds of them must be cut. Where it shows a table that is not known
  // yet, that is computed: 10 ms for three nodes, a quarter of a second for a hundred.
  bool Heard(cache::NodeId node, const PeerIdentity& peer);
  // What the node holds can be no more: it has stopped, or was not heard for a lease.
  void Forget(cache::NodeId node);

  bool has_disputes() const { return any_disputed_.load(std::memory_order_relaxed); }
  bool IsDisputed(SlotIndex slot) const {
    return has_disputes() && disputed_[slot].load(std::memory_order_relaxed);
  }
  std::vector<cache::PeerStart> Dissenters() const;
  // Of all nodes that are known; 0 if there are none.
  cache::Duration longest_lease() const;

 private:
  struct Peer {
    cache::Incarnation incarnation = 0;
    uint64_t change = 0;
    uint64_t epoch = 0;
    cache::Duration longest_lease{0};
    std::shared_ptr<const Placement> claims;  // null: it sent no list that makes sense
  };
  using Slots = std::bitset<kSlots>;

  std::shared_ptr<const Placement> ClaimsOf(const PeerIdentity& peer) const;
  Slots Disputed() const;
  // Whether a slot has become disputed.
  bool Judge();

  mutable std::mutex mutex_;
  const OwnerTable* own_ = nullptr;
  cache::NodeId self_ = 0;
  std::map<cache::NodeId, Peer> peers_;
  std::atomic<bool> any_dissents_{false};
  std::atomic<bool> any_disputed_{false};
  std::array<std::atomic<bool>, kSlots> disputed_{};
};

}  // namespace cistern::cluster
