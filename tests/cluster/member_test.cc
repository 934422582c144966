#include "cluster/member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cistern::cluster {
namespace {

using testing::ElementsAre;

std::vector<Member> Three() {
  return {{"b", "h:2", "h:12"}, {"a", "h:1", "h:11"}, {"c", "h:3", "h:13", 2}};
}

std::vector<std::string> FaultsOf(std::vector<Member> members, std::string_view self = "a") {
  const auto list = MemberList::Make(std::move(members), self);
  return list ? std::vector<std::string>{} : list.error();
}

TEST(Member, GoodListIsSortedAndFindsSelf) {
  const auto list = MemberList::Make(Three(), "b");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->self().peer, "h:2");
  EXPECT_EQ(list->members()[0].name, "a");
  ASSERT_NE(list->Find("c"), nullptr);
  EXPECT_EQ(list->Find("c")->weight, 2u);
  EXPECT_EQ(list->Find("d"), nullptr);
}

TEST(Member, HashDoesNotDependOnOrder) {
  auto turned = Three();
  std::swap(turned[0], turned[2]);
  EXPECT_EQ(MemberList::Make(Three(), "a")->Hash(), MemberList::Make(turned, "c")->Hash());
  turned[0].client = "h:14";
  EXPECT_NE(MemberList::Make(Three(), "a")->Hash(), MemberList::Make(turned, "a")->Hash());
}

TEST(Member, EachFaultHasItsOwnText) {
  auto nodes = Three();
  nodes[0].name = "a";
  EXPECT_THAT(FaultsOf(nodes), ElementsAre("two nodes have the name 'a'"));
  nodes = Three();
  nodes[2].peer = "h:1";
  EXPECT_THAT(FaultsOf(nodes), ElementsAre("nodes 'a' and 'c' have the same peer address 'h:1'"));
  nodes = Three();
  nodes[2].client = "h:12";
  EXPECT_THAT(FaultsOf(nodes),
              ElementsAre("nodes 'b' and 'c' have the same client address 'h:12'"));
  nodes = Three();
  nodes[0].weight = 0;
  EXPECT_THAT(FaultsOf(nodes), ElementsAre("node 'b' has weight 0; leave it out instead"));
  nodes[0].weight = 1001;
  EXPECT_THAT(FaultsOf(nodes), ElementsAre("node 'b' has weight 1001, more than 1000"));
  nodes = Three();
  nodes[0].name = "";
  EXPECT_THAT(FaultsOf(nodes), ElementsAre("node 1 of the list has no name"));
  nodes = Three();
  nodes[0].peer = nodes[0].client = "";
  EXPECT_THAT(FaultsOf(nodes),
              ElementsAre("node 'b' has no peer address", "node 'b' has no client address"));
  EXPECT_THAT(FaultsOf(Three(), "d"), ElementsAre("this node, 'd', is not in the list of nodes"));
  EXPECT_THAT(FaultsOf({}), ElementsAre("this node, 'a', is not in the list of nodes"));
}

TEST(Member, AllFaultsAreToldAtOnceAndEachOnce) {
  auto nodes = Three();
  for (Member& node : nodes)
    node.name = "x";
  nodes[1].weight = 0;
  EXPECT_THAT(FaultsOf(nodes), ElementsAre("node 'x' has weight 0; leave it out instead",
                                           "two nodes have the name 'x'",
                                           "this node, 'a', is not in the list of nodes"));
}

}  // namespace
}  // namespace cistern::cluster
