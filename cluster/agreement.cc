#include "cluster/agreement.h"

#include <algorithm>

#include "cache/mutant.h"

namespace cistern::cluster {

void Agreement::SetOwn(const OwnerTable& own, cache::NodeId self) {
  const std::lock_guard lock(mutex_);
  own_ = &own;
  self_ = self;
  Judge();
}

bool Agreement::Heard(cache::NodeId node, const PeerIdentity& peer) {
  const std::lock_guard lock(mutex_);
  const auto known = peers_.find(node);
  // Connections overtake each other: a hello may tell what was so before.
  if (known != peers_.end() && known->second.incarnation == peer.incarnation &&
      known->second.change >= peer.change) {
    return false;
  }
  peers_[node] = {peer.incarnation, peer.change, peer.epoch, peer.longest_lease, ClaimsOf(peer)};
  return Judge();
}

std::shared_ptr<const Placement> Agreement::ClaimsOf(const PeerIdentity& peer) const {
  if (peer.epoch == own_->epoch()) return own_->placement;
  for (const auto& [node, other] : peers_) {
    if (other.epoch == peer.epoch && other.claims != nullptr) return other.claims;
  }
  return peer.members.empty() ? nullptr : std::make_shared<const Placement>(peer.members);
}

void Agreement::Forget(cache::NodeId node) {
  const std::lock_guard lock(mutex_);
  if (peers_.erase(node) > 0) Judge();
}

Agreement::Slots Agreement::Disputed() const {
  Slots disputed;
  for (const auto& [node, peer] : peers_) {
    if (peer.epoch == own_->epoch() || peer.claims == nullptr) continue;
    const Placement& theirs = *peer.claims;
    const Placement& ours = *own_->placement;
    for (uint32_t i = 0; i < kSlots; ++i) {
      const auto slot = static_cast<SlotIndex>(i);
      if (own_->owners[slot] != self_) continue;
      if (theirs.name(theirs.owner(slot)) != ours.name(ours.owner(slot))) disputed.set(slot);
    }
  }
  return disputed;
}

bool Agreement::Judge() {
  if (IsMutant(Mutant::kBlindToDissent)) return false;
  const Slots disputed = Disputed();
  bool any_new = false;
  for (size_t slot = 0; slot < kSlots; ++slot)
    any_new |= !disputed_[slot].exchange(disputed[slot]) && disputed[slot];
  any_disputed_.store(disputed.any());
  any_dissents_.store(std::any_of(peers_.begin(), peers_.end(), [this](const auto& peer) {
    return peer.second.epoch != own_->epoch();
  }));
  return any_new;
}

std::vector<cache::PeerStart> Agreement::Dissenters() const {
  if (!any_dissents_.load()) return {};
  const std::lock_guard lock(mutex_);
  std::vector<cache::PeerStart> dissenters;
  for (const auto& [node, peer] : peers_) {
    if (peer.epoch == own_->epoch()) continue;
    dissenters.push_back({node, peer.incarnation, peer.longest_lease});
  }
  return dissenters;
}

cache::Duration Agreement::longest_lease() const {
  const std::lock_guard lock(mutex_);
  cache::Duration longest{0};
  for (const auto& [node, peer] : peers_)
    longest = std::max(longest, peer.longest_lease);
  return longest;
}

}  // namespace cistern::cluster
