// WorkerLinks: all peer connections of one worker, those it made and those that came to it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cluster/node_ids.h"
#include "cluster/peer_book.h"
#include "cluster/peer_link.h"
#include "cluster/peer_session.h"

namespace cistern::cluster {

// What the workers of one node share; outlives them.
struct LinkContext {
  Identity self;
  std::string secret;
  cache::Duration connect_timeout;
  cache::Duration dead_after;
  const net::TlsSource* tls = nullptr;
  PeerService* service = nullptr;  // both set before anything starts
  CommandRunner* commands = nullptr;
  std::function<void(const std::string&)> log;  // any thread
  NodeIds ids;
  PeerBook book;
};

// On its loop's thread only, but for the constructor and the destructor.
class WorkerLinks : private PeerSession::Owner {
 public:
  WorkerLinks(net::Loop& loop, LinkContext& context);
  ~WorkerLinks() override;

  // Dials `node`, and goes on dialling it.
  void AddLink(cache::NodeId node, const net::Address& address, wire::LinkKind kind);
  // Takes the socket over.
  void Accept(int fd);
  // Says goodbye on every connection that came here; `gone` is called once, when the peers have
  // closed them all. No more are taken.
  void Leave(std::function<void()> gone);
  // Closes everything and answers everything.
  void Stop();

  // Null: no such link here.
  PeerLink* data(cache::NodeId node) const;
  PeerLink* control(cache::NodeId node) const;
  net::Loop& loop() const { return loop_; }

 private:
  struct Link;
  using Links = std::unordered_map<cache::NodeId, std::unique_ptr<Link>>;

  cache::NodeId OnPeerHeard(const PeerIdentity& peer) override;
  void OnSessionClosed(PeerSession& session, const std::string& peer,
                       const std::string& reason) override;
  void DropOldStrangers();
  void TellIfGone();

  net::Loop& loop_;
  LinkContext& context_;
  PeerSession::Context session_context_;
  Links data_;
  Links control_;
  std::unordered_map<PeerSession*, std::shared_ptr<PeerSession>> sessions_;
  std::deque<std::weak_ptr<PeerSession>> strangers_;  // the oldest first; some are none any more
  std::function<void()> gone_;
  bool stopped_ = false;  // takes no more connections
};

}  // namespace cistern::cluster
