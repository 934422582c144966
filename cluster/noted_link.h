// NotedLink: a link, and what all workers are to know of it.
#pragma once

#include <functional>

#include "cluster/link_context.h"
#include "cluster/peer_link.h"

namespace cistern::cluster {

// Only control connections are told about in the log: the others follow them. On its loop's thread.
class NotedLink : private PeerLink::Observer {
 public:
  // `context` outlives it.
  NotedLink(net::Loop& loop, LinkContext& context, const PeerAddress& peer, wire::LinkKind kind);
  ~NotedLink() override;

  void Start() { link_.Start(); }
  // Closes it and answers everything.
  void Stop();
  PeerLink& link() { return link_; }

  // A guest is no member. `gone` is called when it has not been heard for a lease: in a turn of its
  // own, and may destroy this.
  void SetGuest(std::function<void()> gone);
  void SetMember() { gone_ = nullptr; }

 private:
  void OnLinkUp(const PeerIdentity& peer) override;
  void OnLinkDown(const std::string& reason) override;
  void OnGoodbye() override;
  void OnPeerChanged(const PeerIdentity& peer) override;
  void OnEcho(cache::Duration round_trip) override;
  void OnSilence(cache::Instant since) override;
  void ForgetAfterALease();

  net::Loop& loop_;
  LinkContext& context_;
  const cache::NodeId node_;
  const bool is_control_;
  bool is_up_ = false;
  std::function<void()> gone_;
  cache::Executor::TimerId forget_ = 0;  // it is down
  PeerLink link_;
};

}  // namespace cistern::cluster
