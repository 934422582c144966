// What the serving side answers to peers of other versions, to strangers, and to the slow.
#include "cluster/peer_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "tests/cluster/peer_fixture.h"
#include "tests/cluster/raw_peer.h"

namespace cistern::cluster {
namespace {

class PeerSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    net::IgnoreSigpipe();
    address = server.Open();
  }

  wire::Frame Ask(RawPeer& peer, const wire::Frame& frame) {
    peer.Send(frame);
    const auto answer = peer.Receive();
    EXPECT_TRUE(answer);
    return answer.value_or(wire::Frame());
  }

  ServingNode server;
  net::Address address;
};

TEST_F(PeerSessionTest, AnythingBeforeTheHelloCloses) {
  RawPeer peer(address);
  wire::Frame frame;
  frame.set_id(1);
  frame.mutable_get()->add_items()->set_key("k");
  peer.Send(frame);
  const auto refusal = peer.Receive();
  ASSERT_TRUE(refusal && refusal->has_refusal());
  EXPECT_EQ(refusal->refusal().text(), "it did not say hello");
  EXPECT_FALSE(peer.Receive());
  EXPECT_EQ(server.service.gets.size(), 0u);
}

TEST_F(PeerSessionTest, HelloWithoutProofGetsNothing) {
  RawPeer peer(address);
  const Identity self = IdentityOf("a", 1);
  const ClientHandshake handshake(self, "", wire::LINK_DATA, "b");
  wire::Frame frame;
  *frame.mutable_hello() = handshake.hello();
  EXPECT_TRUE(Ask(peer, frame).has_hello_reply());
  frame.mutable_get()->add_items()->set_key("k");
  EXPECT_TRUE(Ask(peer, frame).has_refusal());
  EXPECT_FALSE(peer.Receive());
  EXPECT_EQ(server.service.gets.size(), 0u);
}

TEST_F(PeerSessionTest, NonsenseCloses) {
  RawPeer peer(address);
  peer.SendBytes(
      "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: somebody who took the wrong port\r\n\r\n");
  EXPECT_FALSE(peer.Receive());
  EXPECT_EQ(server.closed.Await(1)[0], "what it sent is no frame");
}

// What has come of a value that is not whole, and all of it again when the connection goes.
TEST_F(PeerSessionTest, WhatAPeerSendsIsChargedToTheBudgetWhileItIsHeld) {
  const auto charged = [&] { return server.service.memory.used(cache::ChargeKind::kPeers); };
  {
    RawPeer peer(address);
    peer.SayHello(IdentityOf("a", 1), "s3cret");
    wire::Frame frame;
    frame.set_id(1);
    frame.mutable_command()->add_args("SET");
    frame.mutable_command()->add_args();
    frame.add_detached()->set_payload(1);
    frame.mutable_detached(0)->set_index(1);
    peer.Send(frame);
    wire::Frame chunk;
    chunk.mutable_chunk()->set_payload(1);
    chunk.mutable_chunk()->set_data(std::string(kChunkBytes, 'v'));
    for (int i = 0; i < 8; ++i)
      peer.Send(chunk);
    wire::Frame ping;
    ping.mutable_ping()->set_token(1);
    EXPECT_TRUE(Ask(peer, ping).has_echo());
    EXPECT_GE(charged(), 8 * kChunkBytes);
  }
  server.closed.Await(1);
  OnLoop(server.loop, [&] { EXPECT_EQ(charged(), 0u); });
}

TEST_F(PeerSessionTest, StrangersMaySendNeitherChunksNorLongFrames) {
  for (const std::string bytes : {"\x04\x82\x01\x01x", "\x80\x80\x80\x02"}) {
    RawPeer peer(address);
    peer.SendBytes(bytes);
    EXPECT_FALSE(peer.Receive());
  }
  RawPeer peer(address);
  wire::Frame frame;
  frame.mutable_chunk()->set_data("x");
  peer.Send(frame);
  EXPECT_FALSE(peer.Receive());
}

TEST_F(PeerSessionTest, SilentStrangerIsClosed) {
  server.set_dead_after(std::chrono::milliseconds(20));
  RawPeer peer(address);
  EXPECT_EQ(peer.Receive()->refusal().text(), "no hello in time");
  EXPECT_FALSE(peer.Receive());
}

// Peers far away are not taken for dead: the asking side gives each answer `dead_after`, too.
TEST_F(PeerSessionTest, EachPartOfTheHelloHasItsOwnTime) {
  constexpr auto kDeadAfter = std::chrono::milliseconds(600);
  server.set_dead_after(kDeadAfter);
  RawPeer peer(address);
  std::promise<void> half;
  OnLoop(server.loop, [&] { server.loop.After(kDeadAfter / 2, [&] { half.set_value(); }); });
  half.get_future().wait();
  const Identity self = IdentityOf("a", 1);
  const ClientHandshake handshake(self, "s3cret", wire::LINK_DATA, "b");
  wire::Frame frame;
  *frame.mutable_hello() = handshake.hello();
  const auto sent = std::chrono::steady_clock::now();
  EXPECT_TRUE(Ask(peer, frame).has_hello_reply());
  EXPECT_EQ(peer.Receive()->refusal().text(), "no hello in time");
  EXPECT_GE(std::chrono::steady_clock::now() - sent, kDeadAfter);
}

TEST_F(PeerSessionTest, PeerThatHearsNoGoodbyeIsNotWaitedForLongerThanItMayBeSilent) {
  server.set_dead_after(std::chrono::milliseconds(50));
  RawPeer peer(address);
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  server.SayGoodbye();
  EXPECT_TRUE(peer.Receive()->has_goodbye());
  EXPECT_EQ(server.closed.Await(1)[0], "nothing heard of it");
}

TEST_F(PeerSessionTest, StrangerIsToldThatTheNodeIsStopping) {
  RawPeer peer(address);
  const Identity self = IdentityOf("a", 1);
  const ClientHandshake handshake(self, "s3cret", wire::LINK_DATA, "b");
  wire::Frame frame;
  *frame.mutable_hello() = handshake.hello();
  peer.Send(frame);
  EXPECT_TRUE(peer.Receive()->has_hello_reply());
  server.SayGoodbye();
  EXPECT_EQ(peer.Receive()->refusal().text(), "this node is stopping");
  EXPECT_FALSE(peer.Receive());
}

TEST_F(PeerSessionTest, PeerThatFallsSilentIsClosed) {
  server.set_dead_after(std::chrono::milliseconds(50));
  RawPeer peer(address);
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  EXPECT_FALSE(peer.Receive());
  EXPECT_EQ(server.closed.Await(1)[0], "nothing heard of it");
}

TEST_F(PeerSessionTest, OperationOfALaterVersionIsUnknownAndHarmless) {
  RawPeer peer(address);
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  // Field 1 (id) = 5, and a body of number 1000.
  peer.SendBytes(std::string("\x06\x08\x05\xc2\x3e\x01x", 7));
  const auto answer = peer.Receive();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->has_unknown_op());
  EXPECT_EQ(answer->id(), 5u);
  wire::Frame ping;
  ping.mutable_ping()->set_token(9);
  EXPECT_EQ(Ask(peer, ping).echo().token(), 9u);
}

TEST_F(PeerSessionTest, InvalidationThatIsNotUnderstoodIsNeverAcknowledged) {
  RawPeer peer(address);
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  int invalidations = 0;
  server.service.invalidate = [&](const auto&, const auto&) { ++invalidations; };
  const auto expect_refused = [&](int selector, int role) {
    wire::Frame frame;
    frame.set_id(3);
    frame.mutable_invalidate()->set_selector(static_cast<wire::Selector>(selector));
    frame.mutable_invalidate()->set_role(static_cast<wire::Role>(role));
    frame.mutable_invalidate()->add_keys("k");
    const wire::Frame answer = Ask(peer, frame);
    ASSERT_TRUE(answer.has_invalidate_reply());
    EXPECT_EQ(answer.id(), 3u);
    EXPECT_FALSE(answer.invalidate_reply().done());
    EXPECT_EQ(answer.invalidate_reply().error().code(), wire::ERROR_PEER);
  };
  expect_refused(99, wire::ROLE_COPIES);
  expect_refused(wire::SELECTOR_KEYS, 99);
  expect_refused(wire::SELECTOR_GROUP, 99);
  expect_refused(99, wire::ROLE_AT_OWNER);
  expect_refused(wire::SELECTOR_UNSPECIFIED, wire::ROLE_UNSPECIFIED);
  EXPECT_EQ(server.service.notices.size(), 0u);
  EXPECT_EQ(invalidations, 0);
}

TEST_F(PeerSessionTest, EachScopeAndRoundOfAPurgeIsRunAndAcknowledged) {
  RawPeer peer(address);
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  for (const auto round : {cache::PurgeRound::kMain, cache::PurgeRound::kCopies}) {
    for (const auto kind : {cache::PurgeScope::Kind::kAll, cache::PurgeScope::Kind::kGroup,
                            cache::PurgeScope::Kind::kPrefix}) {
      const std::string name = kind == cache::PurgeScope::Kind::kAll ? "" : "users";
      wire::Frame frame;
      frame.set_id(3);
      ToWire({kind, name}, round, *frame.mutable_invalidate());
      EXPECT_TRUE(Ask(peer, frame).invalidate_reply().done());
      const auto ran = server.service.purges.Await(1).back();
      EXPECT_EQ(ran.first, name);
      EXPECT_EQ(ran.second, round);
    }
  }
}

TEST_F(PeerSessionTest, ModeOfALaterVersionIsAnError) {
  RawPeer peer(address);
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  wire::Frame frame;
  frame.set_id(4);
  frame.mutable_get()->add_items()->set_key("k");
  frame.mutable_get()->mutable_items(0)->set_mode(static_cast<wire::Mode>(9));
  const wire::Frame answer = Ask(peer, frame);
  EXPECT_EQ(answer.get_reply().items(0).outcome(), wire::OUTCOME_ERROR);
  EXPECT_EQ(server.service.gets.size(), 0u);
}

TEST_F(PeerSessionTest, EchoOvertakesALargeValueThatLeaves) {
  RawPeer peer(address);
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  const std::string large(24 * kChunkBytes, 'v');
  server.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) {
    done->Done(Found(large));
  };
  wire::Frame frame;
  frame.set_id(1);
  frame.mutable_get()->add_items()->set_key("k");
  peer.Send(frame);
  ASSERT_TRUE(peer.Receive()->has_get_reply());
  wire::Frame ping;
  ping.mutable_ping()->set_token(9);
  peer.Send(ping);
  int chunks = 0;
  for (auto answer = peer.Receive(); answer && !answer->has_echo(); answer = peer.Receive())
    ++chunks;
  EXPECT_LT(chunks, 16);
}

// 200 values of 1 MiB are asked for and not taken: only as many are fetched as may wait.
// By a unix socket: over TCP the kernel may stop such a peer first (see HostilePeerTest).
TEST_F(PeerSessionTest, WhoDoesNotTakeAnswersIsNotReadFrom) {
  constexpr int kGets = 200;
  const SocketPath socket;
  RawPeer peer(server.Open(socket.address()));
  peer.SayHello(IdentityOf("a", 1), "s3cret");
  const cache::BlobPtr value = cache::MakeBlob(std::string(kChunkBytes, 'v'));
  server.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) {
    cache::PeerReply reply;
    reply.loaded.value = value;
    done->Done(std::move(reply));
  };
  // Long keys: so that one read does not bring many requests.
  std::thread asking([&] {
    wire::Frame frame;
    frame.mutable_get()->add_items()->set_key(std::string(60'000, 'k'));
    for (uint64_t id = 1; id <= kGets; ++id) {
      frame.set_id(id);
      if (!peer.Send(frame)) return;
    }
  });
  while (!server.AnyPaused())
    std::this_thread::yield();
  EXPECT_LT(server.service.gets.size(), 100u);
  // It goes on once they are taken.
  for (int got = 0; got < kGets; ++got)
    ASSERT_TRUE(peer.Receive()->has_get_reply());
  asking.join();
  EXPECT_EQ(server.service.gets.size(), static_cast<size_t>(kGets));
}

}  // namespace
}  // namespace cistern::cluster
