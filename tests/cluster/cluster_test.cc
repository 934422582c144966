// Whole nodes in one process: each a Cluster with two workers, joined by unix sockets.
#include "cluster/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "cache/holders.h"
#include "tests/cluster/peer_fixture.h"

namespace cistern::cluster {
namespace {

using cache::ErrorCode;
using testing::HasSubstr;

class Node {
 public:
  Node(const std::vector<Member>& members, const std::string& name,
       const std::string& secret = "s3cret") {
    for (int i = 0; i < 2; ++i)
      loops.push_back(std::make_unique<net::Loop>(i));
    auto list = MemberList::Make(members, name);
    const net::Address listen = *net::Address::Parse(list->self().peer);
    ClusterOptions options{.members = std::move(*list), .listen = listen, .secret = secret};
    // A machine that is held up for a second shall not make it look dead.
    options.dead_after = std::chrono::seconds(20);
    options.log = [this](const std::string& line) { logs.Add(line); };
    cluster = std::make_unique<Cluster>(std::move(options),
                                        std::vector<net::Loop*>{loops[0].get(), loops[1].get()});
    for (auto& loop : loops)
      loop->Start();
  }
  ~Node() {
    cluster->Stop();
    for (auto& loop : loops) {
      loop->Stop();
      loop->Join();
      EXPECT_THAT(loop->left_open(), testing::IsEmpty());
    }
  }

  net::Result<void> Start() { return cluster->Start(service, commands); }
  std::shared_ptr<FakeFetch> Fetch(cache::NodeId node, const std::string& key, size_t worker = 0) {
    auto fetch = std::make_shared<FakeFetch>(key);
    OnLoop(*loops[worker], [&] { cluster->Fetch(*loops[worker], node, fetch); });
    return fetch;
  }
  net::Result<void> Change(const std::vector<Member>& members) {
    return cluster->ChangeMembers(*MemberList::Make(members, cluster->SelfName()));
  }
  bool NotifyAndAwait(cache::NodeId node, cache::Incarnation incarnation) {
    Record<bool> acknowledged;
    OnLoop(*loops[1], [&] {
      cluster->Notify(
          node, incarnation, {"k", 5},
          cache::Completion<bool>::Make(*loops[1], [&](bool yes) { acknowledged.Add(yes); }));
    });
    return acknowledged.Await(1)[0];
  }
  // One round; whether nobody that could be asked refused.
  bool Purges() {
    Record<bool> done;
    OnLoop(*loops[1], [&] {
      cluster->Purge(*loops[1], {cache::PurgeScope::Kind::kAll, ""}, cache::PurgeRound::kMain,
                     cache::Completion<cache::Result<uint64_t>>::Make(
                         *loops[1], [&](const auto&) { done.Add(true); }));
    });
    return done.Await(1)[0];
  }
  MemberState State(const std::string& name) {
    for (MemberState& state : cluster->Members()) {
      if (state.member.name == name) return state;
    }
    return {};
  }
  void AwaitConnected(const std::string& name) {
    while (!State(name).state.connected)
      std::this_thread::yield();
  }

  std::vector<std::unique_ptr<net::Loop>> loops;
  FakeService service;
  FakeRunner commands;
  Record<std::string> logs;
  std::unique_ptr<Cluster> cluster;
};

class ClusterTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { net::IgnoreSigpipe(); }

  std::vector<Member> Members() {
    return {{"a", "unix:" + paths_[0].path(), "client:1"},
            {"b", "unix:" + paths_[1].path(), "client:2"},
            {"c", "unix:" + paths_[2].path(), "client:3"}};
  }
  // A key that `node` owns.
  static std::string KeyOf(const Node& node, const std::string& owner) {
    for (int i = 0;; ++i) {
      const std::string key = "key-" + std::to_string(i);
      if (node.cluster->NodeName(node.cluster->Owner(key).node) == owner) return key;
    }
  }

  std::array<SocketPath, 3> paths_;
};

TEST_F(ClusterTest, AllNodesAgreeAboutOwners) {
  const auto members = Members();
  const Node a(members, "a");
  const Node b({members[2], members[1], members[0]}, "b");
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "key-" + std::to_string(i);
    const cache::Pick by_a = a.cluster->Owner(key);
    const cache::Pick by_b = b.cluster->Owner(key);
    EXPECT_EQ(a.cluster->NodeName(by_a.node), b.cluster->NodeName(by_b.node));
    EXPECT_EQ(by_a.is_self, a.cluster->NodeName(by_a.node) == "a");
    EXPECT_EQ(by_a.epoch, by_b.epoch);
  }
}

TEST_F(ClusterTest, EachWorkerAsksTheOwner) {
  Node a(Members(), "a");
  Node b(Members(), "b");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  const std::string key = KeyOf(a, "b");
  const cache::NodeId owner = a.cluster->Owner(key).node;
  for (const size_t worker : {0u, 1u})
    EXPECT_EQ(a.Fetch(owner, key, worker)->Value(), "value of " + key);
}

TEST_F(ClusterTest, NodeThatIsNotThereIsUnreachable) {
  Node a(Members(), "a");
  ASSERT_TRUE(a.Start());
  const std::string key = KeyOf(a, "c");
  const auto reply = a.Fetch(a.cluster->Owner(key).node, key)->Answer();
  EXPECT_EQ(reply.error().text, "owner c cannot be reached");
  EXPECT_FALSE(a.State("c").state.connected);
}

TEST_F(ClusterTest, NoticesInvalidationsAndCommandsGoToTheOwner) {
  Node a(Members(), "a");
  Node b(Members(), "b");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  const std::string key = KeyOf(a, "b");
  const cache::NodeId node = a.cluster->Owner(key).node;
  net::Loop& worker = *a.loops[1];
  Record<bool> acknowledged;
  Record<cache::Result<int64_t>> counts;
  Record<cache::Result<CommandReply>> replies;
  OnLoop(worker, [&] {
    a.cluster->Notify(
        node, b.cluster->incarnation(), {key, 5},
        cache::Completion<bool>::Make(worker, [&](bool yes) { acknowledged.Add(yes); }));
    a.cluster->Invalidate(worker, node, {key},
                          cache::Completion<cache::Result<int64_t>>::Make(
                              worker, [&](const auto& count) { counts.Add(count); }));
    a.cluster->RunAtOwner(worker, node, {"SET", key, "v"},
                          cache::Completion<cache::Result<CommandReply>>::Make(
                              worker, [&](const auto& reply) { replies.Add(reply); }));
  });
  EXPECT_TRUE(acknowledged.Await(1)[0]);
  EXPECT_EQ(counts.Await(1)[0], 1);
  EXPECT_TRUE(replies.Await(1)[0]);
  EXPECT_EQ(b.service.notices.size(), 1u);
  EXPECT_EQ(b.commands.commands.Await(1)[0], (std::vector<std::string>{"SET", key, "v"}));
}

TEST_F(ClusterTest, MembersShowWhoIsConnected) {
  Node a(Members(), "a");
  Node b(Members(), "b");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  a.AwaitConnected("b");
  EXPECT_EQ(a.State("b").state.incarnation, b.cluster->incarnation());
  EXPECT_TRUE(a.State("a").is_self);
  EXPECT_TRUE(a.State("a").state.connected);
  EXPECT_FALSE(a.State("c").state.connected);
  EXPECT_EQ(a.State("b").member.client, "client:2");
}

TEST_F(ClusterTest, TheCacheHearsOfARestartBeforeTheNewPeerAnswersAnything) {
  Node a(Members(), "a");
  auto b = std::make_unique<Node>(Members(), "b");
  ASSERT_TRUE(a.Start());
  ASSERT_TRUE(b->Start());
  a.AwaitConnected("b");
  const size_t before = a.service.heard.size();
  EXPECT_GT(before, 0u) << "of the silence before its first hello";
  b = nullptr;
  b = std::make_unique<Node>(Members(), "b");
  ASSERT_TRUE(b->Start());
  const cache::NodeId node = a.cluster->Owner(KeyOf(a, "b")).node;
  while (!a.Fetch(node, "k", 0)->Answer())
    std::this_thread::yield();
  EXPECT_GT(a.service.heard.size(), before);
}

TEST_F(ClusterTest, WrongSecretKeepsNodesApart) {
  Node a(Members(), "a");
  Node b(Members(), "b", "another");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  const std::string key = KeyOf(a, "b");
  const auto reply = a.Fetch(a.cluster->Owner(key).node, key)->Answer();
  EXPECT_EQ(reply.error().code, ErrorCode::kPeer);
  EXPECT_EQ(b.service.gets.size(), 0u);
}

TEST_F(ClusterTest, TakenPortIsRefused) {
  const Node a(Members(), "a");
  std::unique_ptr<net::Listener> taken;
  net::Loop loop(0);
  auto opened = net::Listener::Open(loop, net::Address::Tcp("127.0.0.1", 0), [](int) {});
  ASSERT_TRUE(opened);
  auto members = Members();
  members[0].peer = (*opened)->address().ToString();
  Node late(members, "a");
  const auto started = late.Start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), HasSubstr(members[0].peer));
  opened->reset();
  loop.Stop();
  loop.Run();
}

TEST_F(ClusterTest, OpenPortWithoutSecretIsRefused) {
  auto members = Members();
  members[0].peer = "0.0.0.0:0";
  Node a(members, "a", "");
  const auto started = a.Start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), HasSubstr("needs a secret"));
}

TEST_F(ClusterTest, AddressThatIsNoneIsRefused) {
  auto members = Members();
  members[1].peer = "nowhere";
  Node a(members, "a");
  const auto started = a.Start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), HasSubstr("node 'b'"));
}

TEST_F(ClusterTest, OnlyNodeOpensNoPort) {
  auto members = Members();
  members.resize(1);
  Node a(members, "a");
  ASSERT_TRUE(a.Start());
  EXPECT_NE(access(paths_[0].path().c_str(), F_OK), 0);
  EXPECT_TRUE(a.cluster->Owner("any").is_self);
}

TEST_F(ClusterTest, NewMemberIsDialledAndOwnsItsPart) {
  const auto all = Members();
  const std::vector<Member> two(all.begin(), all.begin() + 2);
  Node a(two, "a");
  Node b(two, "b");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  Node c(all, "c");
  ASSERT_TRUE(c.Start());
  const uint64_t before = a.cluster->placement().epoch();
  ASSERT_TRUE(a.Change(all));
  EXPECT_NE(a.cluster->placement().epoch(), before);
  EXPECT_EQ(a.service.changes.Await(1)[0], false) << "it only loses";
  const std::string key = KeyOf(a, "c");
  const auto pick = a.cluster->Owner(key);
  EXPECT_EQ(pick.epoch, c.cluster->Owner(key).epoch);
  for (const size_t worker : {0u, 1u})
    EXPECT_EQ(a.Fetch(pick.node, key, worker)->Value(), "value of " + key);
}

TEST_F(ClusterTest, OnlyNodeThatGetsCompanyOpensItsPort) {
  const auto all = Members();
  Node a({all[0]}, "a");
  ASSERT_TRUE(a.Start());
  Node b({all[0], all[1]}, "b");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Change({all[0], all[1]}));
  const std::string key = KeyOf(b, "a");
  const cache::NodeId owner = b.cluster->Owner(key).node;
  // Refused while nobody listened, it tries again.
  while (!b.Fetch(owner, key)->Answer())
    std::this_thread::yield();
  EXPECT_EQ(b.Fetch(owner, key)->Value(), "value of " + key);
}

TEST_F(ClusterTest, FormerMemberIsAskedNothingAndToldOfChangesUntilItAgrees) {
  Node a(Members(), "a");
  Node b(Members(), "b");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  a.AwaitConnected("b");
  const cache::NodeId node = a.cluster->Owner(KeyOf(a, "b")).node;
  const auto all = Members();
  ASSERT_TRUE(a.Change({all[0], all[2]}));
  EXPECT_TRUE(a.service.changes.Await(1)[0]) << "it gains";
  EXPECT_EQ(a.Fetch(node, "k")->Answer().error().text, "owner b cannot be reached");
  const auto dissenters = a.cluster->Dissenters();
  ASSERT_EQ(dissenters.size(), 1u);
  EXPECT_EQ(dissenters[0].node, node);
  EXPECT_EQ(dissenters[0].incarnation, b.cluster->incarnation());
  EXPECT_TRUE(a.NotifyAndAwait(node, b.cluster->incarnation()));
  EXPECT_TRUE(a.Purges());
  EXPECT_EQ(b.service.purges.Await(1).size(), 1u);
  // b has heard of a's list, and cuts what it holds of a's new slots.
  b.service.cuts.Await(1);
  EXPECT_EQ(b.cluster->Dissenters().size(), 1u);
  b.cluster->Leave(std::chrono::hours(1));
  b.cluster->Stop();
  while (!a.cluster->Dissenters().empty())
    std::this_thread::yield();
}

TEST_F(ClusterTest, StrangerWhoKnowsTheSecretAndClaimsSlotsIsToldOfChanges) {
  const auto all = Members();
  const std::vector<Member> two(all.begin(), all.begin() + 2);
  Node a(two, "a");
  ASSERT_TRUE(a.Start());
  Node c(all, "c");
  ASSERT_TRUE(c.Start());
  while (a.cluster->Dissenters().empty())
    std::this_thread::yield();
  const cache::PeerStart stranger = a.cluster->Dissenters()[0];
  EXPECT_EQ(a.cluster->NodeName(stranger.node), "c");
  while (!a.NotifyAndAwait(stranger.node, stranger.incarnation))
    std::this_thread::yield();
  EXPECT_GT(c.service.notices.size(), 0u);
}

TEST_F(ClusterTest, WhoCannotBeDialledIsNotForgottenWhileItIsConnected) {
  auto elsewhere = Members();
  elsewhere[0].peer += ".nobody";
  Node b({elsewhere[0], elsewhere[1]}, "b");
  Node a(Members(), "a");
  ASSERT_TRUE(b.Start());  // its first try to connect fails now: what it knows of a ends in a lease
  ASSERT_TRUE(a.Start());
  while (b.cluster->Dissenters().empty())
    std::this_thread::yield();
  std::promise<void> later;
  OnLoop(*b.loops[0], [&] {
    const cache::Duration lease = cache::LeaseEnd({}, {}) - cache::Instant();
    b.loops[0]->After(5 * lease, [&] { later.set_value(); });
  });
  later.get_future().wait();
  EXPECT_EQ(b.cluster->Dissenters().size(), 1u);
}

TEST_F(ClusterTest, OneAfterTheOtherAllAgreeAgain) {
  const auto all = Members();
  const std::vector<Member> two(all.begin(), all.begin() + 2);
  Node a(two, "a");
  Node b(two, "b");
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  a.AwaitConnected("b");
  b.AwaitConnected("a");
  ASSERT_TRUE(a.Change(all));
  while (b.cluster->Dissenters().empty())
    std::this_thread::yield();
  ASSERT_TRUE(b.Change(all));
  while (!a.cluster->Dissenters().empty() || !b.cluster->Dissenters().empty())
    std::this_thread::yield();
  ASSERT_TRUE(b.Change(two));
  while (a.cluster->Dissenters().empty())
    std::this_thread::yield();
  ASSERT_TRUE(a.Change(two));
  while (!a.cluster->Dissenters().empty() || !b.cluster->Dissenters().empty())
    std::this_thread::yield();
}

TEST_F(ClusterTest, ListWithAnAddressThatIsNoneChangesNothing) {
  Node a(Members(), "a");
  ASSERT_TRUE(a.Start());
  auto members = Members();
  members[1].peer = "nowhere";
  const uint64_t epoch = a.cluster->placement().epoch();
  members.pop_back();
  const auto changed = a.Change(members);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error(), HasSubstr("node 'b'"));
  EXPECT_EQ(a.cluster->placement().epoch(), epoch);
  EXPECT_EQ(a.service.changes.size(), 0u);
}

TEST_F(ClusterTest, NodeThatLeavesAnswersWhatItWasAskedAndCannotBeReachedAnyMore) {
  Node a(Members(), "a");
  Node b(Members(), "b");
  Record<FakeService::GetDone> held;
  b.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) { held.Add(done); };
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  const std::string key = KeyOf(a, "b");
  const cache::NodeId node = a.cluster->Owner(key).node;
  auto under_way = a.Fetch(node, key);
  b.service.gets.Await(1);
  EXPECT_TRUE(a.cluster->IsReachable(node));
  std::thread leaving([&] { b.cluster->Leave(std::chrono::hours(1)); });
  while (a.cluster->IsReachable(node))
    std::this_thread::yield();
  held.Await(1)[0]->Done(Found("v"));
  leaving.join();
  EXPECT_EQ(under_way->Value(), "v");
  EXPECT_EQ(a.Fetch(node, key)->Answer().error().text, "owner b cannot be reached");
}

TEST_F(ClusterTest, LeavingTakesNoLongerThanItsLimit) {
  Node a(Members(), "a");
  Node b(Members(), "b");
  b.service.get = [](const PeerGetRequest&, const FakeService::GetDone&) {};
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  const std::string key = KeyOf(a, "b");
  auto under_way = a.Fetch(a.cluster->Owner(key).node, key);
  b.service.gets.Await(1);
  b.cluster->Leave(std::chrono::milliseconds(10));
  b.cluster->Stop();
  EXPECT_EQ(under_way->Answer().error().code, ErrorCode::kPeerLost);
}

TEST_F(ClusterTest, StopAnswersWhatIsUnderWayAndWhatComesLater) {
  Node a(Members(), "a");
  Node b(Members(), "b");
  b.service.get = [](const PeerGetRequest&, const FakeService::GetDone&) {};
  ASSERT_TRUE(b.Start());
  ASSERT_TRUE(a.Start());
  const std::string key = KeyOf(a, "b");
  const cache::NodeId node = a.cluster->Owner(key).node;
  auto under_way = a.Fetch(node, key);
  b.service.gets.Await(1);
  a.cluster->Stop();
  EXPECT_FALSE(under_way->Answer());
  EXPECT_EQ(a.Fetch(node, key)->Answer().error().code, ErrorCode::kShutdown);
}

}  // namespace
}  // namespace cistern::cluster
