// Whether a peer can be reached, as all connections to it tell together.
#include "cluster/peer_book.h"

#include <gtest/gtest.h>

namespace cistern::cluster {
namespace {

using std::chrono::milliseconds;

cache::Instant At(int ms) {
  return cache::Instant(milliseconds(ms));
}

struct PeerBookTest : testing::Test {
  PeerBookTest() {
    book.LinkUp(kPeer, 1);
    book.LinkUp(kPeer, 1);
  }
  static constexpr cache::NodeId kPeer = 3;
  PeerBook book;
};

TEST_F(PeerBookTest, OneConnectionOfSeveralIsEnough) {
  book.LinkDown(kPeer);
  EXPECT_TRUE(book.IsReachable(kPeer));
  book.LinkDown(kPeer);
  EXPECT_FALSE(book.IsReachable(kPeer));
}

TEST_F(PeerBookTest, WhoIsSilentOnOneAndWasNotHeardSinceOnAnotherCannotBeReached) {
  book.Echoed(kPeer, At(100));
  book.Silent(kPeer, At(150));
  EXPECT_FALSE(book.IsReachable(kPeer)) << "though one connection has not found out yet";
}

TEST_F(PeerBookTest, WhoIsHeardSinceOnAnotherConnectionCanBeReached) {
  book.Echoed(kPeer, At(200));
  book.Silent(kPeer, At(150));
  EXPECT_TRUE(book.IsReachable(kPeer));
}

TEST_F(PeerBookTest, AnEchoEndsTheSilenceAndIsNewsOnce) {
  EXPECT_FALSE(book.Echoed(kPeer, At(100)).after_silence);
  book.Silent(kPeer, At(150));
  EXPECT_TRUE(book.Echoed(kPeer, At(400)).after_silence);
  EXPECT_FALSE(book.Echoed(kPeer, At(500)).after_silence);
  EXPECT_TRUE(book.IsReachable(kPeer));
}

TEST_F(PeerBookTest, AHelloEndsTheSilenceToo) {
  book.Silent(kPeer, At(150));
  EXPECT_TRUE(book.SessionUp(kPeer, 1).after_silence);
  EXPECT_TRUE(book.IsReachable(kPeer));
}

TEST_F(PeerBookTest, WhoSaidGoodbyeCannotBeReachedUntilItsNextStart) {
  book.SaidGoodbye(kPeer);
  EXPECT_FALSE(book.IsReachable(kPeer));
  EXPECT_TRUE(book.LinkUp(kPeer, 2).restarted);
  EXPECT_TRUE(book.IsReachable(kPeer));
}

}  // namespace
}  // namespace cistern::cluster
