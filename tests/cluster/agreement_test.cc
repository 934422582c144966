// What follows while nodes have different lists of members.
#include "cluster/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cistern::cluster {
namespace {

Member MemberNamed(const std::string& name) {
  return {name, name + ":1", name + ":2"};
}

MemberList ListOf(const std::string& names, const std::string& self) {
  std::vector<Member> members;
  for (const char name : names)
    members.push_back(MemberNamed(std::string(1, name)));
  return *MemberList::Make(std::move(members), self);
}

// What node `name` says when its list is `names`.
PeerIdentity PeerWith(const std::string& name, const std::string& names) {
  PeerIdentity peer;
  peer.name = name;
  peer.incarnation = static_cast<unsigned char>(name[0]);
  const MemberList list = ListOf(names, name);
  peer.members = list.members();
  peer.epoch = Placement(list.members()).epoch();
  peer.longest_lease = std::chrono::seconds(2);
  return peer;
}

// Node "a".
struct AgreementTest : testing::Test {
  AgreementTest() { SetOwn("abc"); }
  void SetOwn(const std::string& names) {
    tables.push_back(std::make_unique<OwnerTable>(ListOf(names, "a"), ids));
    agreement.SetOwn(*tables.back(), ids.Intern("a"));
  }
  // What it says now.
  bool Heard(const std::string& name, const std::string& names) {
    PeerIdentity peer = PeerWith(name, names);
    peer.change = ++changes;
    return agreement.Heard(ids.Intern(name), peer);
  }
  std::string OwnerBy(const std::string& names, SlotIndex slot) {
    const Placement placement(ListOf(names, names.substr(0, 1)).members());
    return placement.name(placement.owner(slot));
  }
  std::string Dissenters() {
    std::string names;
    for (const cache::PeerStart& peer : agreement.Dissenters())
      names += ids.Name(peer.node);
    return names;
  }
  size_t Disputed() {
    size_t count = 0;
    for (uint32_t slot = 0; slot < kSlots; ++slot)
      count += agreement.IsDisputed(static_cast<SlotIndex>(slot)) ? 1 : 0;
    return count;
  }

  uint64_t changes = 0;
  NodeIds ids;
  std::vector<std::unique_ptr<OwnerTable>> tables;
  Agreement agreement;
};

TEST_F(AgreementTest, WhileAllHaveOneListNothingIsDisputed) {
  EXPECT_FALSE(Heard("b", "abc"));
  EXPECT_FALSE(Heard("c", "abc"));
  EXPECT_EQ(Dissenters(), "");
  EXPECT_EQ(Disputed(), 0u);
}

TEST_F(AgreementTest, WhatOneOwnsAndAnotherGivesToSomebodyElseIsDisputed) {
  EXPECT_TRUE(Heard("b", "abcd"));
  EXPECT_EQ(Dissenters(), "b");
  const Placement mine(ListOf("abc", "a").members());
  const Placement theirs(ListOf("abcd", "a").members());
  for (uint32_t i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<SlotIndex>(i);
    const bool is_mine = mine.name(mine.owner(slot)) == "a";
    const bool is_theirs_too = theirs.name(theirs.owner(slot)) == "a";
    EXPECT_EQ(agreement.IsDisputed(slot), is_mine && !is_theirs_too) << slot;
  }
  EXPECT_GT(Disputed(), 1000u);
  EXPECT_LT(Disputed(), 2000u) << "a quarter of this node's third, and little more";
}

TEST_F(AgreementTest, WhatIsDisputedAlreadyIsNotNews) {
  EXPECT_TRUE(Heard("b", "abcd"));
  EXPECT_FALSE(Heard("b", "abcd"));
  EXPECT_FALSE(Heard("c", "abcd"));
  EXPECT_EQ(Dissenters(), "bc");
}

TEST_F(AgreementTest, WhoTakesTheOthersListAgrees) {
  Heard("b", "abcd");
  Heard("d", "abcd");
  SetOwn("abcd");
  EXPECT_EQ(Dissenters(), "");
  EXPECT_EQ(Disputed(), 0u);
}

TEST_F(AgreementTest, WhoChangesFirstIsDisputedByThoseWhoAgreedBefore) {
  Heard("b", "abc");
  Heard("c", "abc");
  SetOwn("ab");
  EXPECT_EQ(Dissenters(), "bc");
  for (uint32_t i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<SlotIndex>(i);
    const bool gained = OwnerBy("ab", slot) == "a" && OwnerBy("abc", slot) != "a";
    EXPECT_EQ(agreement.IsDisputed(slot), gained) << slot;
    i += 97;  // a sample
  }
}

TEST_F(AgreementTest, WhoGoesBackAgreesAgain) {
  Heard("b", "abcd");
  EXPECT_FALSE(Heard("b", "abc"));
  EXPECT_EQ(Dissenters(), "");
  EXPECT_EQ(Disputed(), 0u);
}

TEST_F(AgreementTest, WhatWasSaidBeforeCountsNoMoreThoughItComesLater) {
  PeerIdentity before = PeerWith("b", "abc");
  PeerIdentity after = PeerWith("b", "abcd");
  after.change = 1;
  EXPECT_TRUE(agreement.Heard(ids.Intern("b"), after));
  EXPECT_FALSE(agreement.Heard(ids.Intern("b"), before));
  EXPECT_EQ(Dissenters(), "b");
}

TEST_F(AgreementTest, WhoIsForgottenDisputesNothing) {
  Heard("d", "abcd");
  agreement.Forget(ids.Intern("d"));
  EXPECT_EQ(Dissenters(), "");
  EXPECT_EQ(Disputed(), 0u);
}

TEST_F(AgreementTest, ANewStartOfADissenterIsTheOneThatIsTold) {
  Heard("b", "abcd");
  PeerIdentity again = PeerWith("b", "abcd");
  again.incarnation = 4711;
  agreement.Heard(ids.Intern("b"), again);
  ASSERT_EQ(agreement.Dissenters().size(), 1u);
  EXPECT_EQ(agreement.Dissenters()[0].incarnation, 4711u);
  EXPECT_EQ(agreement.Dissenters()[0].longest_lease, std::chrono::seconds(2));
}

TEST_F(AgreementTest, WhoSendsAnotherEpochAndNoListIsToldOfEverythingAndDisputesNothing) {
  PeerIdentity peer = PeerWith("b", "abcd");
  peer.members.clear();
  EXPECT_FALSE(agreement.Heard(ids.Intern("b"), peer));
  EXPECT_EQ(Dissenters(), "b");
  EXPECT_EQ(Disputed(), 0u);
}

TEST_F(AgreementTest, LongestLeaseIsTheLongestOfAll) {
  EXPECT_EQ(agreement.longest_lease(), cache::Duration(0));
  Heard("b", "abc");
  EXPECT_EQ(agreement.longest_lease(), std::chrono::seconds(2));
}

}  // namespace
}  // namespace cistern::cluster
