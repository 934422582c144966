// Two nodes' halves over real sockets: a node that serves, and a link that asks it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>

#include "cluster/peer_link.h"
#include "cluster/peer_session.h"
#include "net/listener.h"
#include "tests/cluster/fakes.h"

namespace cistern::cluster {

inline Identity IdentityOf(std::string name, cache::Incarnation incarnation) {
  Identity identity;
  identity.name = std::move(name);
  identity.incarnation = incarnation;
  identity.epoch = 4711;
  return identity;
}

// Node "b": a loop, a listening socket and its sessions.
class ServingNode : private PeerSession::Owner {
 public:
  ServingNode() {
    Become(IdentityOf("b", 2));
    loop.Start();
  }
  ~ServingNode() override {
    Close();
    loop.Stop();
    loop.Join();
    EXPECT_THAT(loop.left_open(), testing::IsEmpty());
  }

  // Where it then listens.
  net::Address Open(const net::Address& address = net::Address::Tcp("127.0.0.1", 0)) {
    net::Address bound;
    OnLoop(loop, [&] {
      auto opened = net::Listener::Open(loop, address, [this](int fd) { Accept(fd); });
      ASSERT_TRUE(opened) << opened.error();
      listener_ = std::move(*opened);
      bound = listener_->address();
    });
    return bound;
  }
  void Close() {
    OnLoop(loop, [&] {
      listener_.reset();
      sessions_.clear();
    });
  }
  void CloseSessions() {
    OnLoop(loop, [&] { sessions_.clear(); });
  }
  // On the loop's thread.
  void CloseSessionsHere() { sessions_.clear(); }
  void Announce() {
    OnLoop(loop, [&] {
      for (const auto& [raw, session] : sessions_)
        session->Announce();
    });
  }
  void SayGoodbye() {
    OnLoop(loop, [&] {
      for (const auto& [raw, session] : sessions_)
        session->SayGoodbye();
    });
  }
  // Of all sessions that are open.
  FrameChannel::Counters Counters() {
    FrameChannel::Counters sum;
    OnLoop(loop, [&] {
      for (const auto& [raw, session] : sessions_) {
        sum.frames_sent += session->counters().frames_sent;
        sum.frames_received += session->counters().frames_received;
        sum.chunks_sent += session->counters().chunks_sent;
      }
    });
    return sum;
  }

  bool AnyPaused() {
    bool paused = false;
    OnLoop(loop, [&] {
      for (const auto& [raw, session] : sessions_)
        paused = paused || session->is_paused();
    });
    return paused;
  }

  net::Loop loop{0};
  // Before there are sessions.
  void Become(Identity identity) {
    self = std::make_unique<Self>(std::move(identity));
    context_ = std::make_unique<PeerSession::Context>(
        PeerSession::Context{*self, secret, std::chrono::seconds(60), service, commands});
  }

  std::unique_ptr<Self> self;
  std::string secret = "s3cret";
  FakeService service;
  FakeRunner commands;
  Record<PeerIdentity> heard;
  Record<std::string> closed;  // the reasons
  Record<PeerIdentity> changed;

  void set_tls(const net::TlsSource& tls) { context_->tls = &tls; }
  void set_dead_after(cache::Duration dead_after) { context_->dead_after = dead_after; }

 private:
  void Accept(int fd) {
    context_->secret = secret;
    auto session = PeerSession::Make(loop, *context_, *this);
    ASSERT_TRUE(session->Start(fd));
    sessions_.emplace(session.get(), session);
  }
  cache::NodeId OnPeerHeard(const PeerIdentity& peer) override {
    heard.Add(peer);
    return 7;
  }
  void OnPeerChanged(cache::NodeId, const PeerIdentity& peer) override { changed.Add(peer); }
  void OnSessionClosed(PeerSession& session, const std::string&,
                       const std::string& reason) override {
    closed.Add(reason);
    sessions_.erase(&session);
  }

  std::unique_ptr<PeerSession::Context> context_;
  std::unique_ptr<net::Listener> listener_;
  std::map<PeerSession*, std::shared_ptr<PeerSession>> sessions_;
};

// Node "a": a loop and one link to "b".
class AskingNode : public PeerLink::Observer {
 public:
  AskingNode() { loop.Start(); }
  ~AskingNode() override {
    OnLoop(loop, [&] {
      if (link) link->Stop();
    });
    loop.Stop();
    loop.Join();
    EXPECT_THAT(loop.left_open(), testing::IsEmpty());
  }

  void Dial(const net::Address& address) {
    config.address = address;
    OnLoop(loop, [&] {
      link = std::make_unique<PeerLink>(loop, config, self, secret, memory, *this);
      link->Start();
    });
  }
  void AwaitUp(size_t times = 1) { ups.Await(times); }

  std::shared_ptr<FakeFetch> Fetch(std::shared_ptr<FakeFetch> fetch) {
    OnLoop(loop, [&] { link->Fetch(fetch); });
    return fetch;
  }
  std::shared_ptr<FakeFetch> Fetch(std::string key) {
    return Fetch(std::make_shared<FakeFetch>(std::move(key)));
  }
  FrameChannel::Counters Counters() {
    FrameChannel::Counters counters;
    OnLoop(loop, [&] { counters = link->counters(); });
    return counters;
  }
  bool IsUnreachable() {
    bool unreachable = false;
    OnLoop(loop, [&] { unreachable = link->is_unreachable(); });
    return unreachable;
  }

  net::Loop loop{0};
  Self self{IdentityOf("a", 1)};
  std::string secret = "s3cret";
  cache::Budget memory{uint64_t{1} << 30};
  // Long enough that no ping of the clock's disturbs a count of frames.
  PeerLink::Config config{.node = "b",
                          .address = {},
                          .kind = wire::LINK_DATA,
                          .connect_timeout = std::chrono::seconds(10),
                          .dead_after = std::chrono::seconds(60)};
  std::unique_ptr<PeerLink> link;
  Record<PeerIdentity> ups;
  Record<std::string> downs;
  Record<cache::Duration> echoes;
  Record<std::monostate> goodbyes;
  Record<std::monostate> silences;
  Record<PeerIdentity> changed;

 private:
  void OnLinkUp(const PeerIdentity& peer) override { ups.Add(peer); }
  void OnLinkDown(const std::string& reason) override { downs.Add(reason); }
  void OnGoodbye() override { goodbyes.Add({}); }
  void OnPeerChanged(const PeerIdentity& peer) override { changed.Add(peer); }
  void OnEcho(cache::Duration round_trip) override { echoes.Add(round_trip); }
  void OnSilence(cache::Instant) override { silences.Add({}); }
};

// A unix socket's path that nobody else uses: it can be closed and opened again.
class SocketPath {
 public:
  SocketPath() {
    char pattern[] = "/tmp/cistern-cluster-XXXXXX";
    EXPECT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
  }
  ~SocketPath() {
    unlink(path().c_str());
    rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/peer.sock"; }
  net::Address address() const { return net::Address::Unix(path()); }

 private:
  std::string folder_;
};

class PeerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { net::IgnoreSigpipe(); }

  // Both up, the first echo back: nothing of the hello disturbs a count of frames.
  void Join() {
    asker.Dial(server.Open());
    asker.AwaitUp();
    asker.echoes.Await(1);
  }

  ServingNode server;
  AskingNode asker;  // goes first
};

}  // namespace cistern::cluster
