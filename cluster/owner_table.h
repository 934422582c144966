// OwnerTable: who owns which slot by one list of members, in this process's numbers of nodes.
#pragma once

#include <array>
#include <memory>

#include "cluster/node_ids.h"
#include "cluster/placement.h"

namespace cistern::cluster {

// Immutable. (thread-safe)
struct OwnerTable {
  OwnerTable(MemberList list, NodeIds& ids)
      : members(std::move(list)), placement(std::make_shared<const Placement>(members.members())) {
    std::vector<cache::NodeId> numbers;
    for (size_t i = 0; i < placement->nodes(); ++i)
      numbers.push_back(ids.Intern(placement->name(static_cast<uint16_t>(i))));
    for (uint32_t slot = 0; slot < kSlots; ++slot)
      owners[slot] = numbers[placement->owner(static_cast<SlotIndex>(slot))];
  }

  uint64_t epoch() const { return placement->epoch(); }
  // Then all slots are alike.
  bool has_one_owner() const { return members.members().size() == 1; }

  const MemberList members;
  const std::shared_ptr<const Placement> placement;
  std::array<cache::NodeId, kSlots> owners;
};

}  // namespace cistern::cluster
