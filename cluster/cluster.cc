#include "cluster/cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <future>
#include <utility>

#include "cluster/worker_links.h"

namespace cistern::cluster {
namespace {

namespace errors = cache::errors;

// Control connections live on one worker, so that a node's notices keep their order.
constexpr size_t kControlWorker = 0;

// An accepted socket on its way to its worker, which may stop meanwhile.
struct OwnedFd {
  explicit OwnedFd(int opened) : fd(opened) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() {
    if (fd >= 0) close(fd);
  }
  int fd;
};

// Runs `task` on the loop's thread and waits for it; if the loop stops first, for that.
void RunOn(net::Loop& loop, const std::function<void()>& task) {
  if (loop.OnOwnThread()) return task();
  auto done = std::make_shared<std::promise<void>>();
  const std::future<void> ready = done->get_future();
  loop.Post([&task, done = std::move(done)] {
    task();
    done->set_value();
  });
  ready.wait();
}

uint64_t RandomNumber() {
  const std::string bytes = FreshNonce();
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof number && i < bytes.size(); ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number == 0 ? 1 : number;
}

}  // namespace

Cluster::Cluster(ClusterOptions options, std::vector<net::Loop*> workers)
    : options_(std::move(options)),
      workers_(std::move(workers)),
      context_(std::make_unique<LinkContext>()),
      next_operation_(RandomNumber()) {
  MakeTable();
  const MemberList& members = options_.members;
  context_->self = {.name = members.self().name,
                    .incarnation = RandomNumber(),
                    .epoch = placement().epoch(),
                    .members = members.members(),
                    .members_hash = members.Hash(),
                    .groups_hash = options_.groups_hash,
                    .longest_lease = options_.longest_lease};
  context_->secret = options_.secret;
  context_->tls = options_.tls;
  context_->connect_timeout = options_.connect_timeout;
  context_->dead_after = options_.dead_after;
  context_->log = options_.log;
}

Cluster::~Cluster() {
  Stop();
}

void Cluster::MakeTable() {
  const std::vector<Member>& members = options_.members.members();
  auto table = std::make_unique<Table>(Table{Placement(members), {}});
  std::vector<cache::NodeId> ids;
  for (size_t i = 0; i < table->placement.nodes(); ++i)
    ids.push_back(context_->ids.Intern(table->placement.name(static_cast<uint16_t>(i))));
  for (uint32_t slot = 0; slot < kSlots; ++slot)
    table->owners[slot] = ids[table->placement.owner(static_cast<SlotIndex>(slot))];
  self_ = context_->ids.Intern(options_.members.self().name);
  table_.store(table.get(), std::memory_order_release);
  tables_.push_back(std::move(table));
}

net::Result<void> Cluster::Start(PeerService& service, CommandRunner& commands) {
  context_->service = &service;
  context_->commands = &commands;
  std::vector<std::pair<cache::NodeId, net::Address>> peers;
  for (const Member& member : options_.members.members()) {
    if (member.name == SelfName()) continue;
    auto address = net::Address::Parse(member.peer);
    if (!address) return tl::unexpected(fmt::format("node '{}': {}", member.name, address.error()));
    peers.emplace_back(context_->ids.Intern(member.name), std::move(*address));
  }
  for (net::Loop* loop : workers_)
    links_.push_back(std::make_unique<WorkerLinks>(*loop, *context_));
  if (peers.empty()) return {};
  if (auto listening = Listen(); !listening) {
    links_.clear();
    return listening;
  }
  for (const auto& [node, address] : peers)
    Dial(node, address);
  return {};
}

net::Result<void> Cluster::Listen() {
  const bool asks_nothing = options_.secret.empty() && options_.tls == nullptr;
  if (options_.protected_mode && asks_nothing && !options_.listen.is_loopback()) {
    return tl::unexpected(
        fmt::format("the peer port {} can be reached from elsewhere, so it needs a secret or TLS",
                    options_.listen.ToString()));
  }
  net::Result<void> result;
  RunOn(*workers_[0], [&] {
    auto listener =
        net::Listener::Open(*workers_[0], options_.listen, [this](int fd) { Deal(fd); });
    if (listener) {
      listener_ = std::move(*listener);
    } else {
      result = tl::unexpected(listener.error());
    }
  });
  if (listener_ != nullptr) options_.listen = listener_->address();
  return result;
}

void Cluster::Deal(int fd) {
  WorkerLinks& links = *links_[next_worker_++ % links_.size()];
  links.loop().Post([&links, owned = std::make_shared<OwnedFd>(fd)] {
    links.Accept(std::exchange(owned->fd, -1));
  });
}

void Cluster::Dial(cache::NodeId node, const net::Address& address) {
  for (const auto& links : links_) {
    const bool is_control = links == links_[kControlWorker];
    links->loop().Post([&links = *links, node, address, is_control] {
      links.AddLink(node, address, wire::LINK_DATA);
      if (is_control) links.AddLink(node, address, wire::LINK_CONTROL);
    });
  }
}

void Cluster::Leave(cache::Duration limit) {
  CloseListener();
  std::vector<std::future<void>> all_gone;
  for (const auto& links : links_) {
    auto gone = std::make_shared<std::promise<void>>();
    all_gone.push_back(gone->get_future());
    links->loop().Post([&links = *links, gone] { links.Leave([gone] { gone->set_value(); }); });
  }
  const auto until = std::chrono::steady_clock::now() + limit;
  for (const auto& gone : all_gone)
    gone.wait_until(until);
}

void Cluster::CloseListener() {
  if (listener_ != nullptr) RunOn(*workers_[0], [this] { listener_.reset(); });
}

void Cluster::Stop() {
  CloseListener();
  for (const auto& links : links_)
    RunOn(links->loop(), [&links] { links->Stop(); });
}

cache::Pick Cluster::Owner(std::string_view key) const {
  const Table& table = *table_.load(std::memory_order_acquire);
  const cache::NodeId node = table.owners[SlotOf(key)];
  return {node == self_, node, table.placement.epoch()};
}

bool Cluster::IsReachable(cache::NodeId node) const {
  return context_->book.IsReachable(node);
}

std::string Cluster::SelfName() const {
  return options_.members.self().name;
}

void Cluster::Fetch(cache::Executor& executor, cache::NodeId node,
                    std::shared_ptr<cache::PeerFetch> fetch) {
  const auto worker = static_cast<size_t>(executor.index());
  PeerLink* link = worker < links_.size() ? links_[worker]->data(node) : nullptr;
  if (link != nullptr) return link->Fetch(std::move(fetch));
  executor.Post([name = NodeName(node), fetch = std::move(fetch)] {
    fetch->OnReply(tl::unexpected(errors::PeerUnreachable(name)));
  });
}

void Cluster::Notify(cache::NodeId node, cache::Incarnation incarnation, cache::Notice notice,
                     cache::CompletionPtr<bool> acknowledged) {
  if (links_.empty()) return acknowledged->Done(false);
  WorkerLinks& links = *links_[kControlWorker];
  links.loop().Post(
      [&links, node, incarnation, notice = std::move(notice), acknowledged]() mutable {
        PeerLink* link = links.control(node);
        if (link == nullptr) return acknowledged->Done(false);
        link->Notify(incarnation, std::move(notice), std::move(acknowledged));
      });
}

void Cluster::Invalidate(cache::Executor& executor, cache::NodeId node,
                         std::vector<std::string> keys,
                         cache::CompletionPtr<cache::Result<int64_t>> done) {
  const auto worker = static_cast<size_t>(executor.index());
  PeerLink* link = worker < links_.size() ? links_[worker]->data(node) : nullptr;
  if (link == nullptr) return done->Done(tl::unexpected(errors::PeerUnreachable(NodeName(node))));
  link->Invalidate(std::move(keys), std::move(done));
}

void Cluster::Purge(cache::Executor& executor, const cache::PurgeScope& scope,
                    cache::PurgeRound round, cache::CompletionPtr<cache::Result<uint64_t>> done) {
  struct Parts {
    size_t left = 0;
    uint64_t who = 0;
    cache::CompletionPtr<cache::Result<uint64_t>> done;
  };
  const Table& table = *table_.load(std::memory_order_acquire);
  auto parts = std::make_shared<Parts>();
  parts->who = table.placement.epoch();
  parts->left = options_.members.members().size() - 1;
  parts->done = std::move(done);
  if (parts->left == 0) return parts->done->Done(parts->who);
  for (const Member& member : options_.members.members()) {
    const cache::NodeId node = context_->ids.Intern(member.name);
    if (node == self_) continue;
    auto part = cache::Completion<cache::Result<cache::Incarnation>>::Make(
        executor, [parts](const cache::Result<cache::Incarnation>& incarnation) {
          if (!incarnation) return parts->done->Done(tl::unexpected(incarnation.error()));
          parts->who += *incarnation;  // a sum: they come in any order
          if (--parts->left == 0) parts->done->Done(parts->who);
        });
    const auto worker = static_cast<size_t>(executor.index());
    PeerLink* link = worker < links_.size() ? links_[worker]->data(node) : nullptr;
    if (link == nullptr) {
      part->Done(tl::unexpected(errors::NotPurged(member.name)));
    } else {
      link->Purge(scope, round, std::move(part));
    }
  }
}

void Cluster::RunAtOwner(cache::Executor& executor, cache::NodeId node,
                         std::vector<std::string> args,
                         cache::CompletionPtr<cache::Result<CommandReply>> done) {
  const auto worker = static_cast<size_t>(executor.index());
  PeerLink* link = worker < links_.size() ? links_[worker]->data(node) : nullptr;
  if (link == nullptr) return done->Done(tl::unexpected(errors::PeerUnreachable(NodeName(node))));
  link->Run(next_operation_.fetch_add(1, std::memory_order_relaxed), std::move(args),
            std::move(done));
}

std::vector<MemberState> Cluster::Members() const {
  std::vector<MemberState> states;
  for (const Member& member : options_.members.members()) {
    const cache::NodeId node = context_->ids.Intern(member.name);
    MemberState state{member, node == self_, context_->book.State(node)};
    state.is_connected = state.state.links_up == workers_.size() + 1;
    if (state.is_self) {
      state.state.connected = true;
      state.is_connected = true;
      state.state.incarnation = incarnation();
    }
    states.push_back(std::move(state));
  }
  return states;
}

std::string Cluster::NodeName(cache::NodeId node) const {
  return context_->ids.Name(node);
}

cache::Incarnation Cluster::incarnation() const {
  return context_->self.incarnation;
}

const Placement& Cluster::placement() const {
  return table_.load(std::memory_order_acquire)->placement;
}

}  // namespace cistern::cluster
