// Cluster: this node's place among the others: who owns what, and the connections to them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cache/peer_picker.h"
#include "cache/snapshots.h"
#include "cluster/command_runner.h"
#include "cluster/owner_table.h"
#include "cluster/peer_book.h"
#include "cluster/peer_service.h"
#include "net/listener.h"
#include "net/tls_source.h"

namespace cistern::cluster {

class PeerLink;
struct LinkContext;
struct PeerAddress;
struct PeerIdentity;
class WorkerLinks;

struct ClusterOptions {
  MemberList members;
  net::Address listen;  // the peer port; not opened where this node is the only one
  std::string secret;
  // Peer connections are TLS, both sides showing certificates. Null: they are not. Outlives Stop().
  const net::TlsSource* tls = nullptr;
  // Refuses to listen beyond this machine without a secret or TLS.
  bool protected_mode = true;
  cache::Duration connect_timeout = std::chrono::milliseconds(500);
  cache::Duration dead_after = std::chrono::seconds(1);
  cache::Duration longest_lease = std::chrono::seconds(1);
  uint64_t groups_hash = 0;
  // One line, for people; called on any thread.
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

// A member as INFO shows it.
struct MemberState {
  Member member;
  bool is_self = false;
  PeerState state;
  // Every connection that this node asks it over is there: each worker can.
  bool is_connected = false;
};

// One a node. Methods of PeerPicker as it says; others from any thread but a worker's, unless they
// say otherwise. Stop in this order: Stop(), then the workers, then the Cluster may go.
class Cluster final : public cache::PeerPicker {
 public:
  // `workers` by their index(), from 0; they outlive Stop().
  Cluster(ClusterOptions options, std::vector<net::Loop*> workers);
  ~Cluster() override;

  // Opens the peer port and dials the other members. Whether the workers run already does not
  // matter. The error names what is at fault: an address, a port that is taken.
  net::Result<void> Start(PeerService& service, CommandRunner& commands);
  // Another list of members takes effect: cache::Ownership says in which order. Returns when this
  // node has dropped what it does not own any more. The error names what is at fault, and nothing
  // has changed then. The thread that called Start().
  net::Result<void> ChangeMembers(MemberList members);
  // Says goodbye to all peers, and returns when each has the answers that it waits for, or after
  // `limit`. From then on they act for this node: nothing that they would have to hear of may be
  // confirmed after this call has begun.
  void Leave(cache::Duration limit);
  // Closes all connections; what was asked is answered. Idempotent.
  void Stop();

  cache::Pick Owner(std::string_view key) const override;
  bool IsReachable(cache::NodeId node) const override;
  std::vector<cache::PeerStart> Dissenters() const override;
  std::string SelfName() const override;
  void Fetch(cache::Executor& executor, cache::NodeId node,
             std::shared_ptr<cache::PeerFetch> fetch) override;
  void Notify(cache::NodeId node, cache::Incarnation incarnation, cache::Notice notice,
              cache::CompletionPtr<bool> acknowledged) override;
  void Invalidate(cache::Executor& executor, cache::NodeId node, std::vector<std::string> keys,
                  cache::CompletionPtr<cache::Result<int64_t>> done) override;
  void Purge(cache::Executor& executor, const cache::PurgeScope& scope, cache::PurgeRound round,
             cache::CompletionPtr<cache::Result<uint64_t>> done) override;

  // Runs a client's command at `node` (another one). Sent once, never repeated; not sent at all if
  // nobody waits any more. `executor`'s thread.
  void RunAtOwner(cache::Executor& executor, cache::NodeId node, std::vector<std::string> args,
                  cache::CompletionPtr<cache::Result<CommandReply>> done);

  // The rest is thread-safe.
  std::vector<MemberState> Members() const;
  std::string NodeName(cache::NodeId node) const;
  cache::Incarnation incarnation() const;
  // The table that holds now; valid as long as the Cluster.
  const Placement& placement() const { return *table().placement; }
  // The peer port's address once started, with the port that the kernel chose if that was 0.
  const net::Address& listening() const { return options_.listen; }

 private:
  // Control connections live on one worker, so that a node's notices keep their order.
  static constexpr size_t kControlWorker = 0;
  using Peers = std::vector<PeerAddress>;

  const OwnerTable& table() const { return tables_->now(); }
  // Nodes that this one asks: all members but itself.
  net::Result<Peers> PeersOf(const MemberList& members) const;
  net::Result<void> Listen();
  void CloseListener();
  void Deal(int fd);
  void Invite(cache::NodeId node, const PeerIdentity& peer);
  void OnEachWorker(const std::function<void(WorkerLinks&)>& task);
  void PurgeAt(cache::Executor& executor, cache::NodeId node, const cache::PurgeScope& scope,
               cache::PurgeRound round,
               cache::CompletionPtr<cache::Result<cache::Incarnation>> done);
  PeerLink* DataLink(cache::Executor& executor, cache::NodeId node) const;

  ClusterOptions options_;
  const std::vector<net::Loop*> workers_;
  std::unique_ptr<LinkContext> context_;
  std::vector<std::unique_ptr<WorkerLinks>> links_;  // by worker; empty before Start
  cache::NodeId self_ = 0;
  std::unique_ptr<cache::Snapshots<OwnerTable>> tables_;
  std::unique_ptr<net::Listener> listener_;  // of the first worker's loop
  size_t next_worker_ = 0;                   // the listener's
  std::atomic<uint64_t> next_operation_;
};

}  // namespace cistern::cluster
