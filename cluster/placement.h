// Placement: which node owns which slot, and who would be next. Computed from the members' names
// and weights alone, so every node comes to the same table without asking.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cluster/member.h"
#include "cluster/slot.h"

namespace cistern::cluster {

// Weighted rendezvous hashing with bounded load: every node claims every slot with a strength drawn
// from XXH3 of both; the strongest claims of the whole table are granted first, and none once its
// node holds 1.05 of its fair share (rounded up). Each slot's successors are the strongest other
// claims on it. All arithmetic is on integers, ties are broken by name: the same on every machine.
//
// Immutable. (thread-safe)
class Placement {
 public:
  static constexpr size_t kRanks = 3;  // the owner and two successors, where there are so many

  // Only names and weights count, in any order; both as MemberList allows them. Takes tens of
  // milliseconds for tens of nodes: not for a worker's thread.
  explicit Placement(std::span<const Member> members);

  size_t nodes() const { return names_.size(); }
  // `node` is below nodes(); names are sorted.
  const std::string& name(uint16_t node) const { return names_[node]; }

  uint16_t owner(SlotIndex slot) const { return rows_[slot][0]; }
  // Owner first, then successors: min(kRanks, nodes()) nodes. Valid as long as the placement.
  std::span<const uint16_t> ranks(SlotIndex slot) const {
    return std::span(rows_[slot]).first(std::min(kRanks, nodes()));
  }
  // Of the inputs: equal epochs mean equal tables.
  uint64_t epoch() const { return epoch_; }

 private:
  using Row = std::array<uint16_t, kRanks>;

  std::vector<std::string> names_;
  std::vector<Row> rows_;  // by slot
  uint64_t epoch_ = 0;
};

}  // namespace cistern::cluster
