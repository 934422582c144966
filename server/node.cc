#include "server/node.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <future>
#include <random>
#include <thread>

#include "server/command_table.h"
#include "server/config/words.h"
#include "server/group_specs.h"
#include "server/open_files.h"

namespace cistern::server {
namespace {

// Beside those of clients: listeners, peers, backends, loops, the log.
constexpr uint64_t kOtherOpenFiles = 512;

// By then a peer has dialled this node again; its hello takes two round trips, each shorter than
// dead_after, or the peer counts as cut off.
constexpr cache::Duration kRedialed = std::chrono::milliseconds(250);

size_t WorkerCount(const Config& config) {
  if (config.server.workers > 0) return static_cast<size_t>(config.server.workers);
  return std::max(1U, std::thread::hardware_concurrency());
}

// Runs `task` on the loop's thread and waits for it. REQUIRES: the loop runs.
template <class Task>
void RunOn(net::Loop& loop, Task task) {
  std::promise<void> done;
  loop.Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

std::string NewRunId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 5; ++i)
    id += fmt::format("{:08x}", random());
  return id;
}

}  // namespace

tl::expected<std::unique_ptr<Node>, std::string> Node::Start(Config config) {
  std::unique_ptr<Node> node(new Node(std::move(config)));
  const Started started = node->OpenFiles()
                              .and_then([&] { return node->LoadCertificates(); })
                              .and_then([&] { return node->MakeCluster(); })
                              .and_then([&] { return node->MakeCache(); })
                              .and_then([&] { return node->JoinCluster(); })
                              .and_then([&] { return node->ServeClients(); })
                              .and_then([&] { return node->StartAdmin(); });
  if (!started) return tl::unexpected(started.error());
  node->ready_from_.store(cache::SystemClock().Now() + node->config().cluster.connect_timeout +
                          node->config().cluster.dead_after);
  return node;
}

Node::Node(Config config) : config_(std::move(config)), run_id_(NewRunId()) {}

Node::~Node() {
  drain_limit_ = cache::Duration(0);
  Stop();
}

Node::Started Node::OpenFiles() {
  const auto clients = static_cast<uint64_t>(config().server.max_clients);
  const auto allowed = AllowOpenFiles(clients + kOtherOpenFiles);
  if (!allowed) return tl::unexpected("server.max_clients: " + allowed.error());
  return {};
}

Node::Started Node::LoadCertificates() {
  auto certificates = Certificates::Load(config());
  if (!certificates) return tl::unexpected(certificates.error());
  certificates_ = std::move(*certificates);
  return {};
}

// The loops run from here on: whatever is made afterwards is taken apart on them, whether all of
// the node could be made or not.
Node::Started Node::MakeCluster() {
  for (size_t i = 0; i < WorkerCount(config()); ++i)
    loops_.push_back(std::make_unique<net::Loop>(static_cast<int>(i)));
  const auto address = net::Address::Parse(config().cluster.listen);
  if (!address) return tl::unexpected("cluster.listen: " + address.error());
  auto members = MembersOf(config());
  if (!members) return tl::unexpected(members.error());
  cluster_ = std::make_unique<cluster::Cluster>(
      cluster::ClusterOptions{.members = std::move(*members),
                              .listen = *address,
                              .secret = config().cluster.secret,
                              .tls = certificates_.peers(),
                              .protected_mode = config().server.protected_mode,
                              .connect_timeout = config().cluster.connect_timeout,
                              .dead_after = config().cluster.dead_after,
                              .longest_lease = config().cluster.longest_lease,
                              .groups_hash = HashOfGroups(config()),
                              .log = [](const std::string& line) { spdlog::info("{}", line); }},
      Loops());
  for (const auto& loop : loops_)
    loop->Start();
  return {};
}

Node::Started Node::MakeCache() {
  auto specs = MakeGroupSpecs(config(), Loops());
  if (!specs) return tl::unexpected(specs.error());
  const std::vector<net::Loop*> loops = Loops();
  const std::vector<cache::Executor*> executors(loops.begin(), loops.end());
  cache_ = std::make_unique<cache::Cache>(
      cache::Store::Options{.memory = config().server.memory,
                            .workers = static_cast<int>(loops.size()),
                            .policy = std::string(Word(config().server.policy)),
                            .holder_records = static_cast<size_t>(config().cluster.max_leases)},
      std::move(*specs), executors, *cluster_, cache::SystemClock());
  if (config().cluster.nodes.size() > 1) {
    cache_->HonourLeases(config().cluster.longest_lease);
    cache_->AwaitPeers(kRedialed + 2 * config().cluster.dead_after);
  }
  cache_->Start();
  preparer_ = std::jthread(
      [&store = cache_->store()](const std::stop_token& stop) { store.PrepareMemory(stop); });
  trimmer_.emplace(cache_->store());
  return {};
}

Node::Started Node::JoinCluster() {
  owner_commands_ = std::make_unique<OwnerCommands>(*cache_);
  peer_door_ = std::make_unique<PeerDoor>(*cache_);
  const auto started = cluster_->Start(*peer_door_, *owner_commands_);
  if (!started) return tl::unexpected("cluster.listen: " + started.error());
  return {};
}

Node::Started Node::ServeClients() {
  const ServerContext context{config_, AllCommands::Get(), *cache_, this};
  for (const auto& loop : loops_)
    workers_.push_back(std::make_unique<Worker>(*loop, context));
  std::vector<Worker*> workers;
  for (const auto& worker : workers_)
    workers.push_back(worker.get());
  for (Worker* worker : workers)
    worker->JoinAll(workers);
  Started opened;
  RunOn(*loops_.front(), [&] {
    auto acceptor =
        Acceptor::Open(*loops_.front(), config().server.listen, workers,
                       static_cast<size_t>(config().server.max_clients), certificates_.clients());
    if (!acceptor) {
      opened = tl::unexpected("server.listen: " + acceptor.error());
      return;
    }
    // Made before the first client can be accepted: handlers use it.
    stats_ = std::make_unique<StatsSource>(
        StatsSource::From{config(), *cache_, *cluster_, workers, **acceptor});
    acceptor_ = std::move(*acceptor);
  });
  return opened;
}

Node::Started Node::StartAdmin() {
  if (config().admin.listen.empty()) return {};
  const auto address = net::Address::Parse(config().admin.listen);
  if (!address) return tl::unexpected("admin.listen: " + address.error());
  auto admin = AdminServer::Start(*address, {.stats = [this] { return stats_->Read(); },
                                             .ready = [this] { return IsReady(); }});
  if (!admin) return tl::unexpected("admin.listen: " + admin.error());
  admin_ = std::move(*admin);
  return {};
}

void Node::Stop() {
  if (std::exchange(stopped_, true)) return;
  stopping_.store(true);
  const cache::Duration limit = drain_limit_.value_or(config().server.drain_timeout);
  const cache::Instant until = cache::SystemClock().Now() + limit;
  if (acceptor_ != nullptr) RunOn(*loops_.front(), [this] { acceptor_->Close(); });
  DrainWorkers(limit);
  admin_.reset();
  LeaveCluster(until - cache::SystemClock().Now());
  if (cluster_ != nullptr) cluster_->Stop();
  if (cache_ != nullptr) {
    cache_->Shutdown();
    for (const auto& group : cache_->groups())
      group->origin().Shutdown();
  }
  for (const auto& loop : loops_)
    loop->Stop();
  for (const auto& loop : loops_)
    loop->Join();
}

// Each worker answers what it has received; those that are late are closed.
void Node::DrainWorkers(cache::Duration limit) {
  std::vector<std::future<void>> drained;
  for (const auto& worker : workers_) {
    auto done = std::make_shared<std::promise<void>>();
    drained.push_back(done->get_future());
    worker->Drain(limit, [done] { done->set_value(); });
  }
  for (auto& worker : drained)
    worker.wait();
}

void Node::LeaveCluster(cache::Duration limit) {
  if (cluster_ == nullptr || cache_ == nullptr || limit <= cache::Duration(0)) return;
  cache_->Leave();
  // What a worker was in the middle of is done when it has run this.
  for (const auto& loop : loops_)
    RunOn(*loop, [] {});
  cluster_->Leave(limit);
}

std::vector<net::Loop*> Node::Loops() const {
  std::vector<net::Loop*> loops;
  for (const auto& loop : loops_)
    loops.push_back(loop.get());
  return loops;
}

bool Node::IsReady() {
  if (stopping_.load()) return false;
  const cache::Instant now = cache::SystemClock().Now();
  if (ready_from_.load() <= now) return true;
  for (const cluster::MemberState& member : cluster_->Members()) {
    if (!member.is_self && !member.is_connected) return false;
  }
  // From here on it stays so: a peer that goes does not make this node one that cannot serve.
  ready_from_.store(now);
  return true;
}

std::vector<net::ListenAddress> Node::listening() const {
  return acceptor_->addresses();
}

InfoFacts Node::Facts() const {
  InfoFacts facts;
  facts.run_id = run_id_;
  facts.max_clients = static_cast<uint64_t>(config().server.max_clients);
  facts.policy = Word(config().server.policy);
  for (const net::Address& address : listening()) {
    if (facts.tcp_port == 0) facts.tcp_port = address.port;
  }
  const cluster::Placement& placement = cluster_->placement();
  facts.epoch = placement.epoch();
  std::map<std::string, uint64_t> slots;
  for (uint32_t slot = 0; slot < cluster::kSlots; ++slot)
    ++slots[placement.name(placement.owner(static_cast<cluster::SlotIndex>(slot)))];
  facts.members = cluster_->Members();
  for (const cluster::MemberState& member : facts.members)
    facts.slots.push_back(slots[member.member.name]);
  return facts;
}

}  // namespace cistern::server
