// WorkerLinks: all peer connections of one worker, those it made and those that came to it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/noted_link.h"
#include "cluster/peer_session.h"

namespace cistern::cluster {

// On its loop's thread only, but for the constructor and the destructor.
class WorkerLinks : private PeerSession::Owner {
 public:
  // The control connections live on one worker.
  WorkerLinks(net::Loop& loop, LinkContext& context, bool has_control);
  ~WorkerLinks() override;

  // Dials those members that are not dialled yet, and goes on dialling them.
  void AddMembers(const std::vector<PeerAddress>& members);
  // Lets go of all others: what they have not answered is lost, and asked of somebody else. Their
  // control connections stay as long as they are up, for notices.
  void KeepOnly(const std::vector<PeerAddress>& members);
  // Makes a control connection to a node that is no member, unless there is one.
  void AddGuest(const PeerAddress& guest);
  // Tells all peers what this node says of itself now.
  void Announce();
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
  using Links = std::unordered_map<cache::NodeId, std::unique_ptr<NotedLink>>;

  cache::NodeId OnPeerHeard(const PeerIdentity& peer) override;
  void OnPeerChanged(cache::NodeId node, const PeerIdentity& peer) override;
  void OnSessionClosed(PeerSession& session, const std::string& peer,
                       const std::string& reason) override;
  NotedLink& Dial(Links& links, const PeerAddress& peer, wire::LinkKind kind);
  static void Remove(Links& links, cache::NodeId node);
  void MakeGuest(cache::NodeId node, NotedLink& link);
  void DropOldStrangers();
  void TellIfGone();

  net::Loop& loop_;
  LinkContext& context_;
  const bool has_control_;
  PeerSession::Context session_context_;
  Links data_;
  Links control_;
  std::unordered_map<PeerSession*, std::shared_ptr<PeerSession>> sessions_;
  std::deque<std::weak_ptr<PeerSession>> strangers_;  // the oldest first; some are none any more
  std::function<void()> gone_;
  bool stopped_ = false;  // takes no more connections
};

}  // namespace cistern::cluster
