// When a link is up, lost, or its peer unreachable, and what becomes of what it was asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "tests/cluster/peer_fixture.h"

namespace cistern::cluster {
namespace {

using cache::ErrorCode;
using testing::HasSubstr;

TEST_F(PeerTest, BothSidesHearWhoTheOtherIs) {
  Join();
  EXPECT_EQ(asker.ups.Await(1)[0].name, "b");
  EXPECT_EQ(asker.ups.Await(1)[0].incarnation, 2u);
  EXPECT_EQ(server.heard.Await(1)[0].name, "a");
  EXPECT_EQ(server.heard.Await(1)[0].incarnation, 1u);
}

TEST_F(PeerTest, PingIsEchoedAndTimed) {
  Join();
  EXPECT_GT(asker.echoes.Await(1)[0], cache::Duration(0));
}

TEST_F(PeerTest, WrongSecretIsRefusedOnBothSides) {
  asker.secret = "another";
  asker.Dial(server.Open());
  EXPECT_THAT(asker.downs.Await(1)[0], HasSubstr("does not prove the cluster's secret"));
  EXPECT_THAT(server.closed.Await(1)[0], HasSubstr("does not prove the cluster's secret"));
  EXPECT_EQ(asker.Fetch("k")->Answer().error().text, "owner b cannot be reached");
  EXPECT_EQ(server.service.gets.size(), 0u);
}

TEST_F(PeerTest, UnexpectedNameIsRefused) {
  asker.config.node = "c";
  asker.Dial(server.Open());
  EXPECT_THAT(asker.downs.Await(1)[0], HasSubstr("dialled 'c', this is 'b'"));
}

TEST_F(PeerTest, RequestsWaitForTheFirstConnection) {
  const net::Address address = server.Open();
  auto fetch = std::make_shared<FakeFetch>("k");
  asker.config.address = address;
  OnLoop(asker.loop, [&] {
    asker.link = std::make_unique<PeerLink>(asker.loop, asker.config, asker.self, asker.secret,
                                            asker.memory, asker);
    asker.link->Start();
    asker.link->Fetch(fetch);
  });
  EXPECT_EQ(fetch->Value(), "value of k");
}

TEST_F(PeerTest, RefusedConnectionIsUnreachableAtOnce) {
  const SocketPath nobody;
  asker.Dial(nobody.address());
  auto waiting = asker.Fetch("waiting");
  EXPECT_EQ(waiting->Answer().error().code, ErrorCode::kPeer);
  EXPECT_EQ(waiting->Answer().error().text, "owner b cannot be reached");
  EXPECT_EQ(waiting->sendings, 0);
  asker.downs.Await(1);
  EXPECT_TRUE(asker.IsUnreachable());
  EXPECT_EQ(asker.Fetch("later")->Answer().error().text, "owner b cannot be reached");
}

// The breaker of a peer: only the link's own timer tries again.
TEST_F(PeerTest, AskingAnUnreachablePeerCostsNeitherAConnectNorAWait) {
  std::unique_ptr<net::Listener> listener;
  std::atomic<int> connects = 0;
  net::Address address;
  OnLoop(server.loop, [&] {
    auto opened = net::Listener::Open(server.loop, net::Address::Tcp("127.0.0.1", 0), [&](int fd) {
      ++connects;
      close(fd);
    });
    ASSERT_TRUE(opened);
    listener = std::move(*opened);
    address = listener->address();
  });
  asker.Dial(address);
  asker.downs.Await(1);
  constexpr int kAsked = 1000;
  std::vector<std::shared_ptr<FakeFetch>> fetches;
  const int connects_before = connects;
  OnLoop(asker.loop, [&] {
    for (int i = 0; i < kAsked; ++i) {
      fetches.push_back(std::make_shared<FakeFetch>("k"));
      asker.link->Fetch(fetches.back());
    }
  });
  // All are answered at the end of the turn that asked.
  OnLoop(asker.loop, [&] {
    for (const auto& fetch : fetches)
      EXPECT_EQ(fetch->replies.size(), 1u);
  });
  EXPECT_LT(connects - connects_before, kAsked / 10);
  OnLoop(server.loop, [&] { listener.reset(); });
}

TEST_F(PeerTest, SilentServerIsUnreachableAfterTheHellosTime) {
  // Accepts and says nothing.
  std::vector<int> held;
  std::unique_ptr<net::Listener> listener;
  net::Address address;
  OnLoop(server.loop, [&] {
    auto opened = net::Listener::Open(server.loop, net::Address::Tcp("127.0.0.1", 0),
                                      [&](int fd) { held.push_back(fd); });
    ASSERT_TRUE(opened);
    listener = std::move(*opened);
    address = listener->address();
  });
  asker.config.dead_after = std::chrono::milliseconds(40);
  asker.Dial(address);
  EXPECT_EQ(asker.Fetch("k")->Answer().error().text, "owner b cannot be reached");
  EXPECT_EQ(asker.downs.Await(1)[0], "no answer to its hello");
  OnLoop(server.loop, [&] {
    listener.reset();
    for (const int fd : held)
      close(fd);
  });
}

TEST_F(PeerTest, ReadsUnderWayFailWhenTheLinkIsLostAndLaterOnesGoThrough) {
  Join();
  std::atomic<bool> close_now = true;
  server.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) {
    if (!close_now.exchange(false)) return done->Done(Found("again"));
    server.loop.Post([&] { server.CloseSessionsHere(); });
  };
  const auto lost = asker.Fetch("k")->Answer();
  EXPECT_EQ(lost.error().code, ErrorCode::kPeerLost);
  EXPECT_EQ(lost.error().text, "link to owner b was lost");
  // The loss is no verdict: this waits for the new connection.
  EXPECT_EQ(asker.Fetch("k")->Value(), "again");
  EXPECT_EQ(asker.ups.size(), 2u);
}

TEST_F(PeerTest, NoticesUnderWayAreNotAcknowledgedWhenTheLinkIsLost) {
  Join();
  Record<bool> acknowledged;
  OnLoop(asker.loop, [&] {
    asker.link->Notify(2, {"k", 99}, cache::Completion<bool>::Make(asker.loop, [&](bool yes) {
                         acknowledged.Add(yes);
                       }));
    asker.loop.AtTurnEnd([&] { asker.loop.AtTurnEnd([&] { asker.link->Stop(); }); });
  });
  EXPECT_FALSE(acknowledged.Await(1)[0]);
}

TEST_F(PeerTest, LinkComesBackWhenTheServerDoes) {
  const SocketPath path;
  server.Open(path.address());
  asker.Dial(path.address());
  asker.AwaitUp();
  server.Close();
  asker.downs.Await(1);
  EXPECT_FALSE(asker.Fetch("k")->Answer());
  server.Open(path.address());
  asker.AwaitUp(2);
  EXPECT_EQ(asker.Fetch("k")->Value(), "value of k");
  EXPECT_FALSE(asker.IsUnreachable());
}

TEST_F(PeerTest, NewIncarnationIsHeardWithTheNextHello) {
  const SocketPath path;
  server.Open(path.address());
  asker.Dial(path.address());
  asker.AwaitUp();
  server.Close();
  server.Become(IdentityOf("b", 3));
  server.Open(path.address());
  asker.AwaitUp(2);
  EXPECT_EQ(asker.ups.Await(2)[1].incarnation, 3u);
}

TEST_F(PeerTest, TimeThatRunsOutAtTheOwnerIsATimeout) {
  Join();
  std::vector<FakeService::GetDone> held;
  server.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) {
    held.push_back(done);
  };
  auto fetch = asker.Fetch(std::make_shared<FakeFetch>("k", std::chrono::milliseconds(30)));
  EXPECT_EQ(fetch->Answer().error().code, ErrorCode::kTimeout);
  EXPECT_FALSE(asker.IsUnreachable());
  server.Close();
}

TEST_F(PeerTest, AnswerThatDoesNotComeIsATimeoutAndNoLostLink) {
  asker.config.dead_after = std::chrono::seconds(8);  // swept every two
  Join();
  std::latch release(1);
  server.loop.Post([&] { release.wait(); });
  auto fetch = asker.Fetch(std::make_shared<FakeFetch>("k", std::chrono::milliseconds(10)));
  EXPECT_EQ(fetch->Answer().error().code, ErrorCode::kTimeout);
  release.count_down();
  // The answer that comes now finds nobody, and harms nothing.
  EXPECT_EQ(asker.Fetch("other")->Value(), "value of other");
  EXPECT_EQ(fetch->replies.size(), 1u);
  EXPECT_EQ(asker.ups.size(), 1u);
}

TEST_F(PeerTest, PeerWithoutEchoIsUnreachableUntilItSpeaksAgain) {
  asker.config.dead_after = std::chrono::milliseconds(100);
  Join();
  std::latch release(1);
  server.loop.Post([&] { release.wait(); });
  auto fetch = asker.Fetch("k");
  EXPECT_EQ(fetch->Answer().error().text, "link to owner b was lost");
  EXPECT_EQ(asker.downs.Await(1)[0], "no echo of its ping");
  EXPECT_EQ(asker.Fetch("k")->Answer().error().text, "owner b cannot be reached");
  release.count_down();
  asker.AwaitUp(2);
  EXPECT_EQ(asker.Fetch("k")->Value(), "value of k");
}

TEST_F(PeerTest, AfterAGoodbyeWhatWasAskedIsAnsweredAndNothingNewIsAsked) {
  Join();
  std::vector<FakeService::GetDone> held;
  server.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) {
    held.push_back(done);
  };
  auto asked = asker.Fetch("asked");
  server.service.gets.Await(1);
  server.SayGoodbye();
  asker.goodbyes.Await(1);
  EXPECT_EQ(asker.Fetch("new")->Answer().error().text, "owner b cannot be reached");
  EXPECT_EQ(asker.downs.size(), 0u) << "it waits for its answer";
  OnLoop(server.loop, [&] { held[0]->Done(Found("v")); });
  EXPECT_EQ(asked->Value(), "v");
  EXPECT_EQ(asker.downs.Await(1)[0], "it is stopping");
  server.closed.Await(1);
  EXPECT_EQ(server.service.gets.size(), 1u);
}

TEST_F(PeerTest, BothSidesHearOfAnotherListOfMembers) {
  Join();
  const auto members = MemberList::Make({{"a", "h:1", "h:2"}, {"b", "h:3", "h:4"}}, "a");
  asker.self.ShowMembers(*members, 5);
  server.self->ShowMembers(*members, 5);
  OnLoop(asker.loop, [&] { asker.link->Announce(); });
  server.Announce();
  const PeerIdentity heard = server.changed.Await(1)[0];
  EXPECT_EQ(heard.name, "a");
  EXPECT_EQ(heard.epoch, 5u);
  EXPECT_EQ(heard.members, members->members());
  EXPECT_EQ(asker.changed.Await(1)[0].members, members->members());
  EXPECT_EQ(asker.Fetch("k")->Value(), "value of k");
  EXPECT_EQ(server.service.gets.Await(1)[0].epoch, 5u);
}

TEST_F(PeerTest, LinkThatWaitsForNothingClosesAtTheGoodbye) {
  Join();
  server.SayGoodbye();
  EXPECT_EQ(asker.downs.Await(1)[0], "it is stopping");
  server.closed.Await(1);
  EXPECT_EQ(asker.goodbyes.size(), 1u);
}

TEST_F(PeerTest, WhoSaidGoodbyeIsAskedAgainWhenItIsBack) {
  const SocketPath path;
  server.Open(path.address());
  asker.Dial(path.address());
  asker.AwaitUp();
  server.SayGoodbye();
  asker.downs.Await(1);
  asker.AwaitUp(2);
  EXPECT_EQ(asker.Fetch("k")->Value(), "value of k");
}

TEST_F(PeerTest, GetThatIsNeverAnsweredHoldsALinkUpNoLongerThanItsOwnTime) {
  asker.config.dead_after = std::chrono::milliseconds(400);  // swept every 100 ms
  Join();
  server.service.get = [](const PeerGetRequest&, const FakeService::GetDone&) {};
  auto fetch = asker.Fetch(std::make_shared<FakeFetch>("k", std::chrono::milliseconds(10)));
  server.service.gets.Await(1);
  server.SayGoodbye();
  EXPECT_EQ(fetch->Answer().error().code, ErrorCode::kTimeout);
  EXPECT_EQ(asker.downs.Await(1)[0], "it is stopping");
}

TEST_F(PeerTest, StopAnswersEverything) {
  Join();
  server.service.get = [](const PeerGetRequest&, const FakeService::GetDone&) {};
  auto sent = asker.Fetch("sent");
  server.service.gets.Await(1);
  auto unsent = std::make_shared<FakeFetch>("unsent");
  auto later = std::make_shared<FakeFetch>("later");
  OnLoop(asker.loop, [&] {
    asker.link->Fetch(unsent);
    asker.link->Stop();
    asker.link->Fetch(later);
  });
  EXPECT_EQ(sent->Answer().error().code, ErrorCode::kPeerLost);
  EXPECT_EQ(unsent->Answer().error().code, ErrorCode::kShutdown);
  EXPECT_EQ(later->Answer().error().code, ErrorCode::kShutdown);
}

}  // namespace
}  // namespace cistern::cluster
