#include "cluster/identity.h"

#include <algorithm>
#include <utility>

namespace cistern::cluster {
namespace {

// Empty when it is no list that this node could have.
std::vector<Member> MembersFromWire(const wire::Identity& identity) {
  std::vector<Member> members;
  for (const wire::Member& member : identity.members())
    members.push_back({member.name(), member.peer(), member.client(), member.weight()});
  const auto list = MemberList::Make(std::move(members), identity.name());
  // The list itself is not part of what is proved in the hello; its hash is.
  if (!list || list->Hash() != identity.members_hash()) return {};
  return list->members();
}

}  // namespace

wire::Identity ToWire(const Identity& self) {
  wire::Identity identity;
  identity.set_min_version(self.min_version);
  identity.set_max_version(self.max_version);
  identity.set_features(self.features);
  identity.set_name(self.name);
  identity.set_incarnation(self.incarnation);
  identity.set_epoch(self.epoch);
  identity.set_members_hash(self.members_hash);
  identity.set_change(self.change);
  identity.set_groups_hash(self.groups_hash);
  identity.set_longest_lease_us(static_cast<uint64_t>(
      std::chrono::ceil<std::chrono::microseconds>(self.longest_lease).count()));
  for (const Member& member : self.members) {
    wire::Member& to = *identity.add_members();
    to.set_name(member.name);
    to.set_peer(member.peer);
    to.set_client(member.client);
    to.set_weight(member.weight);
  }
  return identity;
}

PeerIdentity FromWire(const wire::Identity& identity, const Identity& self, uint32_t version) {
  constexpr uint64_t kLongestUs = 3'600'000'000;  // whatever is said: an hour
  PeerIdentity peer;
  peer.name = identity.name();
  peer.incarnation = identity.incarnation();
  peer.epoch = identity.epoch();
  peer.members = MembersFromWire(identity);
  peer.members_hash = identity.members_hash();
  peer.change = identity.change();
  peer.groups_hash = identity.groups_hash();
  peer.longest_lease = std::chrono::microseconds(std::min(identity.longest_lease_us(), kLongestUs));
  peer.features = identity.features() & self.features;
  peer.version = version;
  return peer;
}

void Self::ShowMembers(const MemberList& members, uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<Identity>(*identity_);
  next->members = members.members();
  next->members_hash = members.Hash();
  next->epoch = epoch;
  ++next->change;
  identity_ = std::move(next);
  epoch_.store(epoch);
}

}  // namespace cistern::cluster
