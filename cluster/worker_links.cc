#include "cluster/worker_links.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace cistern::cluster {
namespace {

// Connections that have not said who they are. A hello takes a moment: among so many the oldest is
// none that means well.
constexpr size_t kMostStrangers = 128;

bool IsAmong(const std::vector<PeerAddress>& peers, cache::NodeId node) {
  return std::any_of(peers.begin(), peers.end(),
                     [node](const PeerAddress& peer) { return peer.node == node; });
}

PeerLink* Find(const std::unordered_map<cache::NodeId, std::unique_ptr<NotedLink>>& links,
               cache::NodeId node) {
  const auto at = links.find(node);
  return at == links.end() ? nullptr : &at->second->link();
}

}  // namespace

WorkerLinks::WorkerLinks(net::Loop& loop, LinkContext& context, bool has_control)
    : loop_(loop),
      context_(context),
      has_control_(has_control),
      session_context_{context.self,     context.secret,    context.dead_after,
                       *context.service, *context.commands, context.tls} {}

WorkerLinks::~WorkerLinks() = default;

void WorkerLinks::AddMembers(const std::vector<PeerAddress>& members) {
  if (stopped_) return;
  for (const PeerAddress& member : members) {
    Dial(data_, member, wire::LINK_DATA);
    if (has_control_) Dial(control_, member, wire::LINK_CONTROL).SetMember();
  }
}

NotedLink& WorkerLinks::Dial(Links& links, const PeerAddress& peer, wire::LinkKind kind) {
  const PeerLink* there = Find(links, peer.node);
  if (there != nullptr && there->address() != peer.address) Remove(links, peer.node);
  std::unique_ptr<NotedLink>& link = links[peer.node];
  if (link == nullptr) {
    link = std::make_unique<NotedLink>(loop_, context_, peer, kind);
    link->Start();
  }
  return *link;
}

void WorkerLinks::KeepOnly(const std::vector<PeerAddress>& members) {
  std::vector<cache::NodeId> others;
  for (const auto& [node, link] : data_) {
    if (!IsAmong(members, node)) others.push_back(node);
  }
  for (const cache::NodeId node : others)
    Remove(data_, node);
  for (const auto& [node, link] : control_) {
    if (!IsAmong(members, node)) MakeGuest(node, *link);
  }
}

void WorkerLinks::AddGuest(const PeerAddress& guest) {
  if (stopped_ || control(guest.node) != nullptr) return;
  MakeGuest(guest.node, Dial(control_, guest, wire::LINK_CONTROL));
}

void WorkerLinks::MakeGuest(cache::NodeId node, NotedLink& link) {
  link.SetGuest([this, node] {
    const PeerLink* there = control(node);
    if (!stopped_ && there != nullptr && !there->is_up()) Remove(control_, node);
  });
}

// Out of the map first: who is answered may ask for it.
void WorkerLinks::Remove(Links& links, cache::NodeId node) {
  auto taken = links.extract(node);
  if (!taken.empty()) taken.mapped()->Stop();
}

void WorkerLinks::Announce() {
  for (const auto& [node, link] : control_)
    link->link().Announce();
  for (const auto& [raw, session] : sessions_) {
    if (session->is_control()) session->Announce();
  }
}

void WorkerLinks::Accept(int fd) {
  if (stopped_) {
    close(fd);
    return;
  }
  auto session = PeerSession::Make(loop_, session_context_, *this);
  if (auto started = session->Start(fd); !started) {
    context_.log(fmt::format("a peer's connection was dropped: {}", started.error()));
    return;
  }
  sessions_.emplace(session.get(), session);
  strangers_.push_back(session);
  DropOldStrangers();
}

void WorkerLinks::DropOldStrangers() {
  std::erase_if(strangers_, [](const std::weak_ptr<PeerSession>& weak) {
    const auto session = weak.lock();
    return session == nullptr || !session->is_stranger();
  });
  for (; strangers_.size() > kMostStrangers; strangers_.pop_front()) {
    if (const auto oldest = strangers_.front().lock()) sessions_.erase(oldest.get());
  }
}

void WorkerLinks::Leave(std::function<void()> gone) {
  stopped_ = true;
  gone_ = std::move(gone);
  // One that is closed at once tells so in a later turn.
  for (const auto& [raw, session] : sessions_)
    session->SayGoodbye();
  TellIfGone();
}

void WorkerLinks::TellIfGone() {
  if (gone_ && sessions_.empty()) std::exchange(gone_, nullptr)();
}

void WorkerLinks::Stop() {
  stopped_ = true;
  sessions_.clear();
  TellIfGone();
  for (Links* links : {&data_, &control_}) {
    for (auto& [node, link] : *links)
      link->Stop();
  }
}

PeerLink* WorkerLinks::data(cache::NodeId node) const {
  return Find(data_, node);
}

PeerLink* WorkerLinks::control(cache::NodeId node) const {
  return Find(control_, node);
}

cache::NodeId WorkerLinks::OnPeerHeard(const PeerIdentity& peer) {
  const cache::NodeId node = context_.ids.Intern(peer.name);
  context_.OnHello(node, peer, context_.book.SessionUp(node, peer.incarnation));
  return node;
}

void WorkerLinks::OnPeerChanged(cache::NodeId node, const PeerIdentity& peer) {
  context_.OnPeerChanged(node, peer);
}

void WorkerLinks::OnSessionClosed(PeerSession& session, const std::string& peer,
                                  const std::string& reason) {
  // Without a hello it may be anybody: a wrong secret, a wrong version, a port scan.
  if (peer.empty()) {
    context_.log(fmt::format("a peer's connection was closed: {}", reason));
  } else {
    context_.book.SessionDown(context_.ids.Intern(peer));
  }
  sessions_.erase(&session);
  TellIfGone();
}

}  // namespace cistern::cluster
