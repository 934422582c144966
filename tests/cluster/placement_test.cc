#include "cluster/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "cluster/claim.h"

namespace cistern::cluster {
namespace {

std::vector<Member> Nodes(int count) {
  std::vector<Member> nodes;
  for (int i = 0; i < count; ++i)
    nodes.push_back({.name = "node-" + std::to_string(i), .peer = "", .client = ""});
  return nodes;
}

std::map<std::string, int> SlotsByNode(const Placement& placement) {
  std::map<std::string, int> slots;
  for (uint32_t slot = 0; slot < kSlots; ++slot)
    ++slots[placement.name(placement.owner(static_cast<SlotIndex>(slot)))];
  return slots;
}

int MovedSlots(const Placement& before, const Placement& after) {
  int moved = 0;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const auto index = static_cast<SlotIndex>(slot);
    if (before.name(before.owner(index)) != after.name(after.owner(index))) ++moved;
  }
  return moved;
}

class PlacementOf : public testing::TestWithParam<int> {};

TEST_P(PlacementOf, BusiestNodeIsNearItsFairShare) {
  const auto slots = SlotsByNode(Placement(Nodes(GetParam())));
  EXPECT_EQ(slots.size(), static_cast<size_t>(GetParam()));
  const double fair = double{kSlots} / GetParam();
  for (const auto& [name, count] : slots)
    EXPECT_LE(count, fair * 1.06) << name;
}

TEST_P(PlacementOf, JoinAndLeaveMoveLittleMoreThanTheirShare) {
  const Placement whole(Nodes(GetParam()));
  // The first, a middle and the last: a leave one way, a join the other.
  for (const int left : {0, GetParam() / 2, GetParam() - 1}) {
    auto nodes = Nodes(GetParam());
    nodes.erase(nodes.begin() + left);
    const double ideal = double{kSlots} / GetParam();
    EXPECT_LE(MovedSlots(Placement(nodes), whole), ideal * 1.3) << left;
  }
}

INSTANTIATE_TEST_SUITE_P(Nodes, PlacementOf, testing::Values(3, 5, 8, 16, 32, 64, 100));

TEST(Placement, OrderOfLearningDoesNotMatter) {
  auto nodes = Nodes(7);
  const Placement first(nodes);
  std::reverse(nodes.begin(), nodes.end());
  std::swap(nodes[1], nodes[4]);
  const Placement second(nodes);
  EXPECT_EQ(MovedSlots(first, second), 0);
  EXPECT_EQ(first.epoch(), second.epoch());
}

TEST(Placement, EpochFollowsNamesAndWeightsOnly) {
  auto nodes = Nodes(3);
  const uint64_t epoch = Placement(nodes).epoch();
  nodes[0].peer = "elsewhere:1";
  EXPECT_EQ(Placement(nodes).epoch(), epoch);
  nodes[0].weight = 2;
  EXPECT_NE(Placement(nodes).epoch(), epoch);
  nodes = Nodes(3);
  nodes[0].name = "other";
  EXPECT_NE(Placement(nodes).epoch(), epoch);
}

// Nodes of different versions, compilers and machines must come to this very table.
TEST(Placement, TableIsTheSameEverywhere) {
  const Placement placement(Nodes(3));
  EXPECT_EQ(placement.epoch(), 8940346583000890576u);
  std::string owners;
  for (SlotIndex slot = 0; slot < 40; ++slot)
    owners += placement.name(placement.owner(slot)).back();
  EXPECT_EQ(owners, "1111102022102220212102210021000010121221");
}

TEST(Placement, WeightsAreHonoured) {
  auto nodes = Nodes(4);
  nodes[1].weight = 3;
  nodes[2].weight = 10;
  const auto slots = SlotsByNode(Placement(nodes));
  for (const Member& node : nodes) {
    const double fair = double{kSlots} * node.weight / 15;
    EXPECT_LE(slots.at(node.name), fair * 1.06) << node.name;
    EXPECT_GE(slots.at(node.name), fair * 0.85) << node.name;
  }
}

TEST(Placement, OnlyTheRatioOfWeightsCounts) {
  auto nodes = Nodes(5);
  const Placement ones(nodes);
  for (Member& node : nodes)
    node.weight = 1000;
  EXPECT_LE(MovedSlots(ones, Placement(nodes)), 2);
}

TEST(Placement, OneNodeOwnsAll) {
  const Placement placement(Nodes(1));
  EXPECT_EQ(SlotsByNode(placement).at("node-0"), static_cast<int>(kSlots));
  EXPECT_EQ(placement.ranks(5).size(), 1u);
}

TEST(Placement, SuccessorsAreOtherNodes) {
  const Placement placement(Nodes(5));
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const auto ranks = placement.ranks(static_cast<SlotIndex>(slot));
    ASSERT_EQ(ranks.size(), Placement::kRanks);
    ASSERT_EQ(std::set(ranks.begin(), ranks.end()).size(), Placement::kRanks);
  }
}

// c16 of the groupcache family: ten neighbouring keys landed on one node of three.
TEST(Placement, SequentialKeysUseAllNodes) {
  for (const int count : {3, 4}) {
    const Placement placement(Nodes(count));
    std::set<uint16_t> owners;
    for (int i = 0; i < 10; ++i)
      owners.insert(placement.owner(SlotOf("key-" + std::to_string(i))));
    EXPECT_EQ(owners.size(), static_cast<size_t>(count));
  }
}

TEST(Claim, LogarithmIsRight) {
  EXPECT_EQ(NegativeLog2(uint64_t{1} << 63), uint64_t{1} << 32);
  EXPECT_EQ(NegativeLog2(1), uint64_t{64} << 32);
  EXPECT_EQ(NegativeLog2(0), NegativeLog2(1));
  EXPECT_GE(NegativeLog2(~uint64_t{0}), 1u);
  for (uint64_t u = 3; u > 2 && u < (uint64_t{1} << 62); u = u * 7 + 5) {
    const double right = 64 - std::log2(static_cast<double>(u));
    EXPECT_NEAR(static_cast<double>(NegativeLog2(u)) / 4294967296.0, right, 1e-9) << u;
  }
}

}  // namespace
}  // namespace cistern::cluster
