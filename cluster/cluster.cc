#include "cluster/cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <future>
#include <utility>

#include "cluster/worker_links.h"

namespace cistern::cluster {
namespace {

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

// Whether `self` owns a slot in `next` that it did not own before.
bool Gains(const OwnerTable& before, const OwnerTable& next, cache::NodeId self) {
  for (size_t slot = 0; slot < kSlots; ++slot) {
    if (next.owners[slot] == self && before.owners[slot] != self) return true;
  }
  return false;
}

Identity IdentityOf(const ClusterOptions& options, uint64_t epoch) {
  const MemberList& members = options.members;
  return {.name = members.self().name,
          .incarnation = RandomNumber(),
          .epoch = epoch,
          .members = members.members(),
          .members_hash = members.Hash(),
          .groups_hash = options.groups_hash,
          .longest_lease = options.longest_lease};
}

}  // namespace

Cluster::Cluster(ClusterOptions options, std::vector<net::Loop*> workers)
    : options_(std::move(options)), workers_(std::move(workers)), next_operation_(RandomNumber()) {
  context_ = std::make_unique<LinkContext>(
      IdentityOf(options_, Placement(options_.members.members()).epoch()));
  context_->secret = options_.secret;
  context_->tls = options_.tls;
  context_->connect_timeout = options_.connect_timeout;
  context_->dead_after = options_.dead_after;
  context_->log = options_.log;
  context_->invite = [this](cache::NodeId node, const PeerIdentity& peer) { Invite(node, peer); };
  self_ = context_->ids.Intern(SelfName());
  tables_ =
      std::make_unique<cache::Snapshots<OwnerTable>>(OwnerTable(options_.members, context_->ids));
  context_->agreement.SetOwn(table(), self_);
}

Cluster::~Cluster() {
  Stop();
}

net::Result<void> Cluster::Start(PeerService& service, CommandRunner& commands) {
  context_->service = &service;
  context_->commands = &commands;
  const auto peers = PeersOf(table().members);
  if (!peers) return tl::unexpected(peers.error());
  for (net::Loop* loop : workers_)
    links_.push_back(std::make_unique<WorkerLinks>(*loop, *context_, loop == workers_[0]));
  if (peers->empty()) return {};
  if (auto listening = Listen(); !listening) {
    links_.clear();
    return listening;
  }
  OnEachWorker([&](WorkerLinks& links) { links.AddMembers(*peers); });
  return {};
}

net::Result<Cluster::Peers> Cluster::PeersOf(const MemberList& members) const {
  Peers peers;
  for (const Member& member : members.members()) {
    if (member.name == SelfName()) continue;
    auto address = net::Address::Parse(member.peer);
    if (!address) return tl::unexpected(fmt::format("node '{}': {}", member.name, address.error()));
    peers.push_back({context_->ids.Intern(member.name), std::move(*address)});
  }
  return peers;
}

void Cluster::OnEachWorker(const std::function<void(WorkerLinks&)>& task) {
  for (const auto& links : links_)
    RunOn(links->loop(), [&] { task(*links); });
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

net::Result<void> Cluster::ChangeMembers(MemberList members) {
  const auto peers = PeersOf(members);
  if (!peers) return tl::unexpected(peers.error());
  if (listener_ == nullptr && !peers->empty()) {
    if (auto listening = Listen(); !listening) return listening;
  }
  // Whom the new table sends to must be there before it holds, who is in the old one only until
  // then.
  OnEachWorker([&](WorkerLinks& links) { links.AddMembers(*peers); });
  const OwnerTable& before = table();
  auto made = std::make_unique<const OwnerTable>(std::move(members), context_->ids);
  const OwnerTable& next = *made;
  context_->agreement.SetOwn(next, self_);
  std::promise<void> swept;
  context_->service->ChangeOwners(
      {.gains = Gains(before, next, self_),
       .longest_lease = std::max(options_.longest_lease, context_->agreement.longest_lease()),
       .publish = [&] { tables_->Publish(std::move(made)); },
       .swept = [&] { swept.set_value(); }});
  context_->self.ShowMembers(next.members, next.epoch());
  OnEachWorker([&](WorkerLinks& links) {
    links.Announce();
    links.KeepOnly(*peers);
  });
  swept.get_future().wait();
  return {};
}

// A node that said hello, and is in no list of ours, has itself in its own.
void Cluster::Invite(cache::NodeId node, const PeerIdentity& peer) {
  if (table().members.Find(peer.name) != nullptr) return;
  for (const Member& member : peer.members) {
    if (member.name != peer.name) continue;
    const auto address = net::Address::Parse(member.peer);
    if (!address) return;
    WorkerLinks& links = *links_[kControlWorker];
    links.loop().Post([&links, guest = PeerAddress{node, *address}] { links.AddGuest(guest); });
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

std::vector<MemberState> Cluster::Members() const {
  std::vector<MemberState> states;
  for (const Member& member : table().members.members()) {
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
  return context_->self.incarnation();
}

}  // namespace cistern::cluster
