// Whoever connects to the peer port to do harm: strangers, and peers that know the secret. (What
// other versions may say: peer_session_test.cc; the hello's own rules: handshake_test.cc.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <thread>

#include "tests/cluster/peer_fixture.h"
#include "tests/cluster/raw_peer.h"

namespace cistern::cluster {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

wire::Frame FrameWith(const std::function<void(wire::Frame&)>& fill, uint64_t id = 0) {
  wire::Frame frame;
  frame.set_id(id);
  fill(frame);
  return frame;
}

wire::Frame Ping(uint64_t token) {
  return FrameWith([&](wire::Frame& frame) { frame.mutable_ping()->set_token(token); });
}

wire::Frame GetOf(uint64_t id, const std::vector<std::string>& keys) {
  return FrameWith(
      [&](wire::Frame& frame) {
        frame.mutable_get();
        for (const std::string& key : keys) {
          wire::GetItem& item = *frame.mutable_get()->add_items();
          item.set_key(key);
          item.set_left_ms(10'000);
        }
      },
      id);
}

wire::Frame ChunkOf(uint64_t payload, std::string data, bool last) {
  return FrameWith([&](wire::Frame& frame) {
    frame.mutable_chunk()->set_payload(payload);
    frame.mutable_chunk()->set_data(std::move(data));
    frame.mutable_chunk()->set_last(last);
  });
}

// SET k <payload 1>
wire::Frame SetInChunks(uint64_t id, uint64_t payload = 1, uint32_t index = 2) {
  return FrameWith(
      [&](wire::Frame& frame) {
        for (const char* arg : {"SET", "k", ""})
          frame.mutable_command()->add_args(arg);
        frame.add_detached()->set_payload(payload);
        frame.mutable_detached(0)->set_index(index);
      },
      id);
}

class HostilePeerTest : public testing::Test {
 protected:
  void SetUp() override {
    net::IgnoreSigpipe();
    address = server.Open();
  }
  // Whatever was done, the next peer is served.
  void TearDown() override {
    OnLoop(server.loop, [this] { server.set_dead_after(std::chrono::seconds(60)); });
    RawPeer good(address);
    good.SayHello(IdentityOf("good", 1), "s3cret");
    good.Send(GetOf(1, {"k"}));
    const auto answer = good.Receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->get_reply().items(0).value(), "value of k");
  }

  wire::Frame Hello(const std::function<void(wire::Hello&)>& change = [](wire::Hello&) {}) {
    return FrameWith([&](wire::Frame& frame) {
      *frame.mutable_hello() = ClientHandshake(self, "", wire::LINK_DATA, "b").hello();
      change(*frame.mutable_hello());
    });
  }
  // What it is told before it is closed; empty: nothing.
  std::string Refusal(RawPeer& peer) {
    std::string text;
    while (const auto frame = peer.Receive()) {
      if (frame->has_refusal()) text = frame->refusal().text();
    }
    return text;
  }
  std::string RefusalOf(const wire::Frame& first) {
    RawPeer peer(address);
    peer.Send(first);
    return Refusal(peer);
  }
  void ExpectClosedBy(std::string_view bytes) {
    RawPeer peer(address);
    peer.SendBytes(bytes);
    EXPECT_FALSE(peer.Receive());
  }
  // A peer that knows the secret and sends `frame` after its hello: it is closed.
  void ExpectPeerClosedBy(const std::vector<wire::Frame>& frames) {
    RawPeer peer(address);
    peer.SayHello(self, "s3cret");
    for (const wire::Frame& frame : frames)
      peer.Send(frame);
    EXPECT_FALSE(peer.Receive());
    EXPECT_EQ(server.closed.Await(1)[0], "what it sent is no frame");
  }
  // The next answer that is none to a ping.
  wire::Frame Ask(RawPeer& peer, const wire::Frame& frame) {
    peer.Send(frame);
    return peer.Receive().value_or(wire::Frame());
  }

  const Identity self = IdentityOf("a", 1);
  ServingNode server;
  net::Address address;
};

// ---- strangers: bytes

TEST_F(HostilePeerTest, LengthThatNeverEndsCloses) {
  ExpectClosedBy("\xff\xff\xff\xff\xff\xff\xff\xff");
}
TEST_F(HostilePeerTest, LengthOf32BitsCloses) {
  ExpectClosedBy("\xff\xff\xff\xff\x0f");
}
TEST_F(HostilePeerTest, StrangersFrameOf512KiBClosesWithItsLength) {
  ExpectClosedBy(std::string_view("\x80\x80\x20", 3));
}
TEST_F(HostilePeerTest, FrameThatIsNoMessageCloses) {
  ExpectClosedBy(std::string_view("\x03\xff\xff\xff", 4));
}
TEST_F(HostilePeerTest, MessagesWithoutBottomClose) {
  // Groups in groups, which protobuf follows into fields that it does not know.
  ExpectClosedBy("\xa0\x1f" + std::string(4000, '\x0b'));
}
TEST_F(HostilePeerTest, HalfAFrameIsForgottenWhenItsTimeIsOver) {
  server.set_dead_after(std::chrono::milliseconds(20));
  RawPeer peer(address);
  peer.SendBytes("\xff\x01half");
  EXPECT_EQ(Refusal(peer), "no hello in time");
}
TEST_F(HostilePeerTest, HelloThatTricklesInHasNoMoreTime) {
  server.set_dead_after(std::chrono::milliseconds(50));
  RawPeer peer(address);
  peer.SendBytes("\xff\x3f");
  for (int i = 0; i < 8'000 && server.closed.size() == 0 && peer.SendBytes("x"); ++i)
    std::this_thread::yield();
  EXPECT_EQ(server.closed.Await(1)[0], "no hello in time");
}

// ---- strangers: hellos

TEST_F(HostilePeerTest, EmptyFrameIsNoHello) {
  EXPECT_EQ(RefusalOf({}), "it did not say hello");
}
TEST_F(HostilePeerTest, ProofBeforeTheHelloIsRefused) {
  EXPECT_EQ(RefusalOf(FrameWith([](wire::Frame& f) { f.mutable_hello_proof(); })),
            "it did not say hello");
}
TEST_F(HostilePeerTest, WelcomeOfAnAskerIsRefused) {
  EXPECT_EQ(RefusalOf(FrameWith([](wire::Frame& f) { f.mutable_welcome(); })),
            "it did not say hello");
}
TEST_F(HostilePeerTest, PingBeforeTheHelloIsNotEchoed) {
  EXPECT_EQ(RefusalOf(Ping(1)), "it did not say hello");
}
TEST_F(HostilePeerTest, HelloTwiceIsRefused) {
  RawPeer peer(address);
  peer.Send(Hello());
  peer.Send(Hello());
  EXPECT_EQ(Refusal(peer), "it did not prove itself");
}
TEST_F(HostilePeerTest, VersionsWithoutOverlapAreRefused) {
  EXPECT_THAT(RefusalOf(Hello([](wire::Hello& hello) {
                hello.mutable_identity()->set_min_version(7);
                hello.mutable_identity()->set_max_version(UINT32_MAX);
              })),
              StartsWith("node 'a' speaks protocol 7 to 4294967295"));
}
TEST_F(HostilePeerTest, VersionsTheWrongWayRoundAreNotSpoken) {
  RawPeer peer(address);
  peer.Send(Hello([](wire::Hello& hello) {
    hello.mutable_identity()->set_min_version(1);
    hello.mutable_identity()->set_max_version(0);
  }));
  EXPECT_THAT(Refusal(peer), StartsWith("node 'a' speaks protocol 1 to 0"));
}
TEST_F(HostilePeerTest, NodeThatIsItselfIsRefused) {
  EXPECT_EQ(RefusalOf(Hello([](wire::Hello& hello) {
              hello.mutable_identity()->set_name("b");
              hello.mutable_identity()->set_incarnation(2);
            })),
            "node 'b' is connected to itself");
}
TEST_F(HostilePeerTest, NameOfThisNodeIsRefused) {
  EXPECT_EQ(RefusalOf(Hello([](wire::Hello& h) { h.mutable_identity()->set_name("b"); })),
            "two nodes call themselves 'b'");
}
TEST_F(HostilePeerTest, HelloToAnotherNodeIsRefused) {
  EXPECT_EQ(RefusalOf(Hello([](wire::Hello& hello) { hello.set_to("c"); })),
            "node 'a' dialled 'c', this is 'b'");
}
TEST_F(HostilePeerTest, NamesThatAreNoneAreNotRepeated) {
  for (const std::string& name :
       {std::string(), std::string(65, 'n'), std::string("a\nb"), std::string("a\x1b[2J"),
        std::string("a b"), std::string("\0", 1)}) {
    EXPECT_EQ(RefusalOf(Hello([&](wire::Hello& h) { h.mutable_identity()->set_name(name); })),
              "a hello without a name");
    EXPECT_EQ(RefusalOf(Hello([&](wire::Hello& h) { h.set_to(name); })), "a hello to nobody");
  }
}
TEST_F(HostilePeerTest, ShortNonceIsRefused) {
  EXPECT_EQ(RefusalOf(Hello([](wire::Hello& hello) { hello.set_nonce(std::string(31, 'n')); })),
            "a hello without a nonce");
}
TEST_F(HostilePeerTest, KindOfConnectionThatIsNoneIsRefused) {
  EXPECT_EQ(RefusalOf(Hello([](wire::Hello& h) { h.set_kind(static_cast<wire::LinkKind>(99)); })),
            "a kind of connection that is not known here");
}
TEST_F(HostilePeerTest, RefusalIsLoggedAsOneLine) {
  RawPeer peer(address);
  peer.Send(Hello());
  peer.Send(FrameWith([](wire::Frame& frame) {
    frame.mutable_refusal()->set_text("no\nERROR forged \x1b[2J" + std::string(2000, 'x'));
  }));
  Refusal(peer);
  const std::string logged = server.closed.Await(1)[0];
  EXPECT_THAT(logged, StartsWith("refused: no.ERROR forged .[2Jx"));
  EXPECT_LT(logged.size(), 600u);
}

// ---- strangers: proofs

TEST_F(HostilePeerTest, ProofsThatAreNoneAreAllRefusedAlike) {
  for (const std::string& proof :
       {std::string(), std::string(31, 'x'), std::string(32, '\0'), std::string(33, 'x')}) {
    RawPeer peer(address);
    peer.Send(Hello());
    peer.Send(FrameWith([&](wire::Frame& f) { f.mutable_hello_proof()->set_proof(proof); }));
    EXPECT_EQ(Refusal(peer), "node 'a' does not prove the cluster's secret");
  }
}
TEST_F(HostilePeerTest, ProofWithAnotherSecretIsRefused) {
  RawPeer peer(address);
  ClientHandshake handshake(self, "s3creT", wire::LINK_DATA, "b");
  peer.Send(FrameWith([&](wire::Frame& frame) { *frame.mutable_hello() = handshake.hello(); }));
  const auto proof = handshake.OnReply(peer.Receive()->hello_reply());
  ASSERT_TRUE(proof);
  peer.Send(FrameWith([&](wire::Frame& frame) { *frame.mutable_hello_proof() = *proof; }));
  EXPECT_EQ(Refusal(peer), "node 'a' does not prove the cluster's secret");
  EXPECT_EQ(server.heard.size(), 0u);
}
TEST_F(HostilePeerTest, WhatWasOverheardOfAnotherHelloIsRefused) {
  ClientHandshake handshake(self, "s3cret", wire::LINK_DATA, "b");
  wire::Frame hello;
  *hello.mutable_hello() = handshake.hello();
  wire::Frame proof;
  {
    RawPeer peer(address);
    peer.Send(hello);
    *proof.mutable_hello_proof() = *handshake.OnReply(peer.Receive()->hello_reply());
    ASSERT_TRUE(Ask(peer, proof).has_welcome());
  }
  RawPeer replayed(address);
  replayed.Send(hello);
  replayed.Send(proof);
  EXPECT_EQ(Refusal(replayed), "node 'a' does not prove the cluster's secret");
}
TEST_F(HostilePeerTest, EachConnectionHasItsOwnNonce) {
  std::set<std::string> nonces;
  for (int i = 0; i < 20; ++i) {
    RawPeer peer(address);
    nonces.insert(Ask(peer, Hello()).hello_reply().nonce());
  }
  EXPECT_EQ(nonces.size(), 20u);
}

// ---- peers that know the secret: chunks

TEST_F(HostilePeerTest, ChunkOfAnUnknownPayloadCloses) {
  ExpectPeerClosedBy({ChunkOf(9, "x", true)});
}
TEST_F(HostilePeerTest, PayloadThatIsUnderWayAlreadyCloses) {
  ExpectPeerClosedBy({SetInChunks(1), SetInChunks(2)});
}
TEST_F(HostilePeerTest, FieldThatIsNotThereCloses) {
  ExpectPeerClosedBy({SetInChunks(1, 1, 3)});
}
TEST_F(HostilePeerTest, FieldOfTheHighestNumberCloses) {
  ExpectPeerClosedBy({SetInChunks(1, 1, UINT32_MAX)});
}
TEST_F(HostilePeerTest, LargeFieldOfWhatHasNoneCloses) {
  wire::Frame frame = GetOf(1, {"k"});
  frame.add_detached()->set_payload(1);
  ExpectPeerClosedBy({frame});
}
TEST_F(HostilePeerTest, ChunkBehindTheLastOneCloses) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  peer.Send(SetInChunks(1));
  EXPECT_TRUE(Ask(peer, ChunkOf(1, "x", true)).has_command_reply());
  peer.Send(ChunkOf(1, "y", true));
  EXPECT_FALSE(peer.Receive());
}
TEST_F(HostilePeerTest, OneFieldInTwoPayloadsIsOneOfThem) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  wire::Frame frame = SetInChunks(1);
  frame.add_detached()->set_payload(2);
  frame.mutable_detached(1)->set_index(2);
  peer.Send(frame);
  peer.Send(ChunkOf(1, "x", true));
  EXPECT_TRUE(Ask(peer, ChunkOf(2, "y", true)).has_command_reply());
  EXPECT_EQ(server.commands.commands.Await(1)[0][2], "y");
}
TEST_F(HostilePeerTest, EmptyChunksWithoutEndHoldUpNothing) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  peer.Send(SetInChunks(1));
  for (int i = 0; i < 10'000; ++i)
    peer.Send(ChunkOf(1, "", false));
  EXPECT_EQ(Ask(peer, Ping(5)).echo().token(), 5u);
}
TEST_F(HostilePeerTest, HalfAFrameAndTheEndLeavesNothing) {
  {
    RawPeer peer(address);
    peer.SayHello(self, "s3cret");
    peer.Send(SetInChunks(1));
    peer.Send(ChunkOf(1, std::string(1 << 20, 'x'), false));
    peer.SendBytes("\xff\xff\x01half");
  }
  server.closed.Await(1);
  EXPECT_EQ(server.commands.commands.size(), 0u);
}

// ---- peers that know the secret: requests

TEST_F(HostilePeerTest, FrameAboveSixteenMebibytesCloses) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  peer.SendBytes("\x81\x80\x80\x08");
  EXPECT_FALSE(peer.Receive());
}
TEST_F(HostilePeerTest, SecondHelloIsAnUnknownOperation) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  wire::Frame hello = Hello();
  hello.set_id(3);
  EXPECT_TRUE(Ask(peer, hello).has_unknown_op());
  EXPECT_EQ(server.heard.size(), 1u);
}
TEST_F(HostilePeerTest, AnswersToAServerAreUnknownOperations) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  for (const auto& fill : std::vector<std::function<void(wire::Frame&)>>{
           [](wire::Frame& f) { f.mutable_get_reply()->add_items()->set_index(9); },
           [](wire::Frame& f) { f.mutable_invalidate_reply()->set_done(true); },
           [](wire::Frame& f) { f.mutable_command_reply()->set_null(true); },
           [](wire::Frame& f) { f.mutable_echo()->set_token(1); },
           [](wire::Frame& f) { f.mutable_unknown_op(); }}) {
    EXPECT_TRUE(Ask(peer, FrameWith(fill, 4)).has_unknown_op());
  }
}
TEST_F(HostilePeerTest, GetOfAHundredThousandKeysIsAnsweredKeyByKey) {
  constexpr int kKeys = 100'000;
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  std::vector<std::string> keys;
  for (int i = 0; i < kKeys; ++i)
    keys.push_back(std::to_string(i));
  peer.Send(GetOf(1, keys));
  std::vector<bool> answered(kKeys);
  for (int left = kKeys; left > 0;) {
    const auto frame = peer.Receive();
    ASSERT_TRUE(frame && frame->has_get_reply());
    for (const wire::GetResult& item : frame->get_reply().items()) {
      ASSERT_FALSE(answered[item.index()]);
      answered[item.index()] = true;
      EXPECT_EQ(item.value(), "value of " + std::to_string(item.index()));
      --left;
    }
  }
}
TEST_F(HostilePeerTest, GetOfNothingIsHarmless) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  peer.Send(GetOf(1, {}));
  EXPECT_EQ(Ask(peer, Ping(5)).echo().token(), 5u);
}
TEST_F(HostilePeerTest, DuplicateIdsAreEachAnswered) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  peer.Send(GetOf(7, {"k"}));
  EXPECT_EQ(Ask(peer, GetOf(7, {"k"})).id(), 7u);
}
TEST_F(HostilePeerTest, EndlessDeadlineIsCutToAnHour) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  wire::Frame frame = GetOf(1, {"k"});
  frame.mutable_get()->mutable_items(0)->set_left_ms(UINT64_MAX);
  Ask(peer, frame);
  EXPECT_LE(server.service.gets.Await(1)[0].deadline,
            cache::SystemClock().Now() + std::chrono::hours(1));
}
TEST_F(HostilePeerTest, WishThatIsUnknownIsNone) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  wire::Frame frame = GetOf(1, {"k"});
  frame.mutable_get()->mutable_items(0)->set_wish(static_cast<wire::Wish>(77));
  Ask(peer, frame);
  EXPECT_EQ(server.service.gets.Await(1)[0].wish, cache::Wish::kNone);
}
TEST_F(HostilePeerTest, EpochOfTheRequestReachesWhoGrants) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  wire::Frame frame = GetOf(1, {"k"});
  frame.set_epoch(12345);
  Ask(peer, frame);
  EXPECT_EQ(server.service.gets.Await(1)[0].epoch, 12345u);
}
TEST_F(HostilePeerTest, CommandWithoutArgumentsIsAnswered) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  EXPECT_TRUE(
      Ask(peer, FrameWith([](wire::Frame& f) { f.mutable_command(); }, 6)).has_command_reply());
}
TEST_F(HostilePeerTest, GetBehindAGoodbyeIsAnswered) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  peer.Send(FrameWith([](wire::Frame& frame) { frame.mutable_goodbye(); }));
  EXPECT_TRUE(Ask(peer, GetOf(1, {"k"})).has_get_reply());
}
TEST_F(HostilePeerTest, WhoSaysThatItIsAnotherNowIsClosed) {
  for (const bool other_name : {true, false}) {
    RawPeer peer(address);
    peer.SayHello(self, "s3cret");
    Identity other = self;
    if (other_name) {
      other.name = "x";
    } else {
      ++other.incarnation;
    }
    peer.Send(FrameWith([&](wire::Frame& frame) { *frame.mutable_identity() = ToWire(other); }));
    EXPECT_EQ(Refusal(peer), "it says that it is another");
  }
}
TEST_F(HostilePeerTest, ListOfMembersThatMakesNoSenseIsNotBelieved) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  wire::Identity identity = ToWire(self);
  identity.add_members()->set_weight(0);
  peer.Send(FrameWith([&](wire::Frame& frame) { *frame.mutable_identity() = identity; }));
  EXPECT_TRUE(server.changed.Await(1)[0].members.empty());
}
TEST_F(HostilePeerTest, RefusalBehindTheHelloCloses) {
  RawPeer peer(address);
  peer.SayHello(self, "s3cret");
  peer.Send(FrameWith([](wire::Frame& frame) { frame.mutable_refusal()->set_text("enough"); }));
  EXPECT_EQ(Refusal(peer), "refused: enough");
}
// By a unix socket: over TCP the kernel may stop such a peer first, when its receive window shrinks
// and the node's acknowledgements lie beyond it.
TEST_F(HostilePeerTest, WhoFloodsWithPingsAndReadsNoEchoIsNotReadFrom) {
  const SocketPath socket;
  RawPeer peer(server.Open(socket.address()));
  peer.SayHello(self, "s3cret");
  std::string pings;
  for (int i = 0; i < 1000; ++i)
    AppendFrame(Ping(1), pings);
  std::thread flood([&] {
    while (peer.SendBytes(pings)) {
    }
  });
  while (!server.AnyPaused())
    std::this_thread::yield();
  server.CloseSessions();
  flood.join();
  address = server.Open();
}

}  // namespace
}  // namespace cistern::cluster
