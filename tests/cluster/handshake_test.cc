#include "cluster/handshake.h"

#include <gtest/gtest.h>

namespace cistern::cluster {
namespace {

Identity NodeNamed(std::string name, cache::Incarnation incarnation) {
  Identity identity;
  identity.name = std::move(name);
  identity.incarnation = incarnation;
  identity.epoch = 77;
  const auto members = MemberList::Make({{"a", "h:1", "h:11"}, {"b", "h:2", "h:12"}}, "a");
  identity.members = members->members();
  identity.members_hash = members->Hash();
  identity.groups_hash = 99;
  identity.longest_lease = std::chrono::seconds(1);
  return identity;
}

// Two nodes that say hello; what they heard of each other, or who refused what.
struct Talk {
  Identity asker = NodeNamed("a", 1);
  Identity server = NodeNamed("b", 2);
  std::string asker_secret = "s3cret";
  std::string server_secret = "s3cret";
  std::string to = "b";

  std::string asker_refused;
  std::string server_refused;
  PeerIdentity heard_by_asker;
  PeerIdentity heard_by_server;
  std::string said;  // everything that went over the wire

  void Run() {
    ClientHandshake client(asker, asker_secret, wire::LINK_DATA, to);
    ServerHandshake other(server, server_secret);
    const auto reply = other.OnHello(client.hello());
    if (!reply) {
      server_refused = reply.error();
      return;
    }
    const auto proof = client.OnReply(*reply);
    if (!proof) {
      asker_refused = proof.error();
      return;
    }
    wire::Welcome welcome;
    const auto heard = other.OnProof(*proof, welcome);
    said = client.hello().SerializeAsString() + reply->SerializeAsString() +
           proof->SerializeAsString() + welcome.SerializeAsString();
    if (!heard) {
      server_refused = heard.error();
      return;
    }
    heard_by_server = *heard;
    const auto welcomed = client.OnWelcome(welcome);
    if (!welcomed) {
      asker_refused = welcomed.error();
      return;
    }
    heard_by_asker = *welcomed;
  }
};

TEST(Handshake, BothHearWhoTheOtherIs) {
  Talk talk;
  talk.Run();
  EXPECT_EQ(talk.asker_refused + talk.server_refused, "");
  EXPECT_EQ(talk.heard_by_asker.name, "b");
  EXPECT_EQ(talk.heard_by_asker.incarnation, 2u);
  EXPECT_EQ(talk.heard_by_server.name, "a");
  EXPECT_EQ(talk.heard_by_server.incarnation, 1u);
  EXPECT_EQ(talk.heard_by_server.epoch, 77u);
  EXPECT_EQ(talk.heard_by_server.members, talk.asker.members);
  EXPECT_EQ(talk.heard_by_server.members_hash, talk.asker.members_hash);
  EXPECT_EQ(talk.heard_by_server.groups_hash, 99u);
  EXPECT_EQ(talk.heard_by_server.longest_lease, std::chrono::seconds(1));
}

TEST(Handshake, SecretIsNeverSaid) {
  Talk talk;
  talk.Run();
  EXPECT_GT(talk.said.size(), 100u);
  EXPECT_EQ(talk.said.find("s3cret"), std::string::npos);
}

TEST(Handshake, WrongSecretIsRefused) {
  for (const char* secret : {"s3creT", "", "s3cret "}) {
    Talk talk;
    talk.asker_secret = secret;
    talk.Run();
    EXPECT_EQ(talk.server_refused, "node 'a' does not prove the cluster's secret") << secret;
  }
}

TEST(Handshake, EmptySecretOnBothSidesIsAccepted) {
  Talk talk;
  talk.asker_secret = talk.server_secret = "";
  talk.Run();
  EXPECT_EQ(talk.heard_by_asker.name, "b");
}

TEST(Handshake, ServerThatRepeatsTheAskersProofIsRefused) {
  const Identity a = NodeNamed("a", 1);
  const Identity b = NodeNamed("b", 2);
  ClientHandshake client(a, "s3cret", wire::LINK_DATA, "b");
  ServerHandshake impostor(b, "guess");
  const auto proof = client.OnReply(*impostor.OnHello(client.hello()));
  ASSERT_TRUE(proof);
  wire::Welcome echo;
  echo.set_proof(proof->proof());
  EXPECT_EQ(client.OnWelcome(echo).error(), "node 'b' does not prove the cluster's secret");
}

TEST(Handshake, ProofOfOneConnectionDoesNotServeAnother) {
  const Identity a = NodeNamed("a", 1);
  const Identity b = NodeNamed("b", 2);
  ClientHandshake client(a, "s3cret", wire::LINK_DATA, "b");
  ServerHandshake first(b, "s3cret");
  const auto proof = client.OnReply(*first.OnHello(client.hello()));
  ServerHandshake second(b, "s3cret");
  ASSERT_TRUE(second.OnHello(client.hello()));
  wire::Welcome welcome;
  EXPECT_FALSE(second.OnProof(*proof, welcome));
  EXPECT_TRUE(welcome.proof().empty());
}

TEST(Handshake, ChangedIdentityIsRefused) {
  const Identity a = NodeNamed("a", 1);
  const Identity b = NodeNamed("b", 2);
  ClientHandshake client(a, "s3cret", wire::LINK_DATA, "b");
  ServerHandshake server(b, "s3cret");
  wire::Hello changed = client.hello();
  changed.mutable_identity()->set_incarnation(9);
  const auto proof = client.OnReply(*server.OnHello(changed));
  wire::Welcome welcome;
  EXPECT_FALSE(server.OnProof(*proof, welcome));
}

TEST(Handshake, HighestCommonVersionIsSpoken) {
  Talk talk;
  talk.asker.max_version = 5;
  talk.server.max_version = 3;
  talk.Run();
  EXPECT_EQ(talk.heard_by_asker.version, 3u);
  EXPECT_EQ(talk.heard_by_server.version, 3u);
}

TEST(Handshake, VersionsWithoutOverlapAreRefused) {
  Talk talk;
  talk.asker.min_version = 4;
  talk.asker.max_version = 5;
  talk.server.max_version = 3;
  talk.Run();
  EXPECT_EQ(talk.server_refused, "node 'a' speaks protocol 4 to 5, node 'b' 1 to 3");
}

TEST(Handshake, OnlyCommonFeaturesAreKept) {
  Talk talk;
  talk.asker.features = 0b110;
  talk.server.features = 0b011;
  talk.Run();
  EXPECT_EQ(talk.heard_by_asker.features, 0b010u);
  EXPECT_EQ(talk.heard_by_server.features, 0b010u);
}

TEST(Handshake, ConnectionToItselfIsRefused) {
  Talk talk;
  talk.server = talk.asker;
  talk.Run();
  EXPECT_EQ(talk.server_refused, "node 'a' is connected to itself");
}

TEST(Handshake, TwoNodesOfOneNameAreRefused) {
  Talk talk;
  talk.server.name = "a";
  talk.Run();
  EXPECT_EQ(talk.server_refused, "two nodes call themselves 'a'");
}

TEST(Handshake, NodeThatWasNotDialledIsRefused) {
  Talk talk;
  talk.to = "c";
  talk.Run();
  EXPECT_EQ(talk.server_refused, "node 'a' dialled 'c', this is 'b'");
}

TEST(Handshake, AskerRefusesAnotherNameItself) {
  const Identity a = NodeNamed("a", 1);
  const Identity b = NodeNamed("b", 2);
  ClientHandshake client(a, "", wire::LINK_DATA, "c");
  wire::Hello hello = client.hello();
  hello.set_to("b");
  ServerHandshake server(b, "");
  EXPECT_EQ(client.OnReply(*server.OnHello(hello)).error(), "node 'c' was dialled, 'b' answered");
}

TEST(Handshake, StepsOutOfOrderAreRefused) {
  const Identity a = NodeNamed("a", 1);
  ServerHandshake server(a, "");
  wire::Welcome welcome;
  EXPECT_EQ(server.OnProof({}, welcome).error(), "a proof before the hello");
  ClientHandshake client(a, "", wire::LINK_DATA, "b");
  EXPECT_EQ(client.OnWelcome({}).error(), "a welcome before the reply to the hello");
}

TEST(Handshake, HelloWithoutNonceOrNameOrKindIsRefused) {
  const Identity a = NodeNamed("a", 1);
  const Identity b = NodeNamed("b", 2);
  ServerHandshake server(b, "");
  const ClientHandshake client(a, "", wire::LINK_DATA, "b");
  wire::Hello hello = client.hello();
  hello.set_nonce("short");
  EXPECT_FALSE(server.OnHello(hello));
  hello = client.hello();
  hello.mutable_identity()->set_name("");
  EXPECT_FALSE(server.OnHello(hello));
  hello = client.hello();
  hello.set_kind(static_cast<wire::LinkKind>(9));
  EXPECT_FALSE(server.OnHello(hello));
}

}  // namespace
}  // namespace cistern::cluster
