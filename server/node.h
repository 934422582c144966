// Node: everything that one process runs, put together and taken apart in order.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <vector>

#include "cache/cache.h"
#include "cache/snapshots.h"
#include "cluster/cluster.h"
#include "net/loop.h"
#include "server/acceptor.h"
#include "server/admin/admin_server.h"
#include "server/certificates.h"
#include "server/config/config.h"
#include "server/info.h"
#include "server/memory_trimmer.h"
#include "server/owner_commands.h"
#include "server/peer_door.h"
#include "server/stats_source.h"
#include "server/worker.h"

namespace cistern::server {

// Made, stopped and destroyed by one thread, which is none of its workers'. What handlers use is
// thread-safe.
class Node {
 public:
  // Serves clients when it returns. The error names the row at fault and the reason:
  // "server.listen: 127.0.0.1:6379: address already in use".
  static tl::expected<std::unique_ptr<Node>, std::string> Start(Config config);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  // Stops without waiting for what is under way, if Stop() was not called.
  ~Node();

  // Accepts no more, answers what it has received (for server.drain_timeout at most), leaves the
  // cluster and ends every thread. Idempotent.
  void Stop();

  // What holds now. (thread-safe)
  const Config& config() const { return config_.now(); }
  cache::Cache& cache() { return *cache_; }
  cluster::Cluster& cluster() { return *cluster_; }
  OwnerCommands& owner_commands() { return *owner_commands_; }
  StatsSource& stats() { return *stats_; }
  // What may change of a configuration that was read again takes effect: the log says what, and
  // what takes a restart. Returns when the table of owners, if that changes, is in force everywhere
  // here.
  void Reload(const Config& next);
  // Reads the files of server.tls and cluster.tls again; see Certificates. (thread-safe)
  bool ReloadCertificates() { return certificates_.Reload(); }
  // For INFO.
  InfoFacts Facts() const;
  // Where it serves clients, with the ports that the kernel chose.
  std::vector<net::ListenAddress> listening() const;
  // 0: there is no admin port.
  uint16_t admin_port() const { return admin_ == nullptr ? 0 : admin_->bound_port(); }
  // Whether clients should be sent here: from when the other nodes have been heard, or could have
  // been, until it stops. (thread-safe)
  bool IsReady();

 private:
  using Started = tl::expected<void, std::string>;

  explicit Node(Config config);
  // The steps of Start(), each on what those before it made.
  Started OpenFiles();
  Started LoadCertificates();
  Started MakeCluster();
  Started MakeCache();
  Started JoinCluster();
  Started ServeClients();
  Started StartAdmin();
  void DrainWorkers(cache::Duration limit);
  // Peers get the answers that they wait for, and no errors.
  void LeaveCluster(cache::Duration limit);
  // Of the members that the configuration lists, or the sentence that says why not.
  static tl::expected<cluster::MemberList, std::string> MembersOf(const Config& config);
  // Where `next` lists other nodes.
  Started ChangeMembers(const Config& next);
  std::vector<net::Loop*> Loops() const;

  // In the order of their making; destroyed from the last to the first.
  cache::Snapshots<Config> config_;
  const std::string run_id_;
  Certificates certificates_;
  std::vector<std::unique_ptr<net::Loop>> loops_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<OwnerCommands> owner_commands_;
  std::unique_ptr<PeerDoor> peer_door_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<StatsSource> stats_;
  std::unique_ptr<AdminServer> admin_;
  std::jthread preparer_;  // of memory for entries
  std::optional<MemoryTrimmer> trimmer_;
  // Peers that do not answer may hold readiness up until then.
  std::atomic<cache::Instant> ready_from_{cache::Instant::max()};
  std::atomic<bool> stopping_{false};
  std::optional<cache::Duration> drain_limit_;  // instead of the configuration's
  bool stopped_ = false;
};

}  // namespace cistern::server
