// LinkContext: what all peer connections of one node share.
#pragma once

#include <functional>
#include <string>

#include "cluster/agreement.h"
#include "cluster/command_runner.h"
#include "cluster/peer_book.h"
#include "cluster/peer_service.h"
#include "net/address.h"
#include "net/tls_source.h"

namespace cistern::cluster {

// Where a node listens for others.
struct PeerAddress {
  cache::NodeId node = 0;
  net::Address address;
};

// Outlives the connections.
struct LinkContext {
  explicit LinkContext(Identity identity) : self(std::move(identity)) {}

  // A peer's hello is through. Before anything of it is answered. (thread-safe)
  void OnHello(cache::NodeId node, const PeerIdentity& peer, PeerBook::News news);
  // It says something else of itself than before. (thread-safe)
  void OnPeerChanged(cache::NodeId node, const PeerIdentity& peer);

  Self self;
  std::string secret;
  cache::Duration connect_timeout{0};
  cache::Duration dead_after{0};
  const net::TlsSource* tls = nullptr;
  PeerService* service = nullptr;  // both set before anything starts
  CommandRunner* commands = nullptr;
  std::function<void(const std::string&)> log;  // any thread
  // Makes sure that a node which may be no member can be told of changes. Any worker's thread.
  std::function<void(cache::NodeId, const PeerIdentity&)> invite;
  NodeIds ids;
  PeerBook book;
  Agreement agreement;
};

}  // namespace cistern::cluster
