#include "cluster/placement.h"

#include <xxhash.h>

#include <algorithm>
#include <queue>
#include <tuple>

#include "cluster/claim.h"
#include "cluster/hash_input.h"

namespace cistern::cluster {
namespace {

struct Node {
  std::string name;
  uint64_t hash;
  uint32_t weight;
  uint32_t room;  // slots that it may still be given
};

// A node's claim on a slot. Nodes are numbered in the order of their names, so comparing numbers
// breaks ties by name.
struct Claim {
  uint64_t distance;
  uint16_t node;
  auto operator<=>(const Claim&) const = default;
};

// A slot and the claim on it that is tried next.
struct Offer {
  Claim claim;
  SlotIndex slot;
  uint16_t rank;
  bool operator>(const Offer& other) const {
    return std::tie(claim, slot) > std::tie(other.claim, other.slot);
  }
};

std::vector<Node> SortedNodes(std::span<const Member> members) {
  uint64_t total = 0;
  std::vector<Node> nodes;
  for (const Member& member : members) {
    total += member.weight;
    nodes.push_back(
        {member.name, XXH3_64bits(member.name.data(), member.name.size()), member.weight, 0});
  }
  for (Node& node : nodes) {
    // 1.05 of the fair share, rounded up: together always room for every slot.
    node.room = static_cast<uint32_t>((uint64_t{kSlots} * node.weight * 105 + total * 100 - 1) /
                                      (total * 100));
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const Node& a, const Node& b) { return a.name < b.name; });
  return nodes;
}

// All claims on each slot, strongest first.
std::vector<std::vector<Claim>> SortedClaims(const std::vector<Node>& nodes) {
  std::vector<std::vector<Claim>> claims(kSlots);
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    claims[slot].reserve(nodes.size());
    for (size_t i = 0; i < nodes.size(); ++i) {
      claims[slot].push_back(
          {ClaimDistance(nodes[i].hash, nodes[i].weight, static_cast<SlotIndex>(slot)),
           static_cast<uint16_t>(i)});
    }
    std::sort(claims[slot].begin(), claims[slot].end());
  }
  return claims;
}

// The owner of each slot. Only the strongest claim left of each slot is in the queue: the strongest
// of those is the strongest of all.
std::vector<uint16_t> GrantStrongestFirst(const std::vector<std::vector<Claim>>& claims,
                                          std::vector<Node>& nodes) {
  std::priority_queue<Offer, std::vector<Offer>, std::greater<>> offers;
  for (uint32_t slot = 0; slot < kSlots; ++slot)
    offers.push({claims[slot][0], static_cast<SlotIndex>(slot), 0});
  std::vector<uint16_t> owners(kSlots);
  while (!offers.empty()) {
    const Offer offer = offers.top();
    offers.pop();
    Node& node = nodes[offer.claim.node];
    if (node.room > 0) {
      --node.room;
      owners[offer.slot] = offer.claim.node;
      continue;
    }
    const auto next = static_cast<uint16_t>(offer.rank + 1);
    offers.push({claims[offer.slot][next], offer.slot, next});
  }
  return owners;
}

}  // namespace

Placement::Placement(std::span<const Member> members) : rows_(kSlots) {
  std::vector<Node> nodes = SortedNodes(members);
  HashInput inputs;
  inputs.Add("placement 1");
  for (const Node& node : nodes) {
    inputs.Add(node.name).Add(uint64_t{node.weight});
    names_.push_back(node.name);
  }
  epoch_ = XXH3_64bits(inputs.bytes().data(), inputs.bytes().size());

  const auto claims = SortedClaims(nodes);
  const std::vector<uint16_t> owners = GrantStrongestFirst(claims, nodes);
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    Row& row = rows_[slot];
    row[0] = owners[slot];
    size_t rank = 1;
    for (auto claim = claims[slot].begin(); rank < kRanks && claim != claims[slot].end(); ++claim) {
      if (claim->node != row[0]) row[rank++] = claim->node;
    }
  }
}

}  // namespace cistern::cluster
