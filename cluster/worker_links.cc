#include "cluster/worker_links.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

namespace cistern::cluster {
namespace {

// Connections that have not said who they are. A hello takes a moment: among so many the oldest is
// none that means well.
constexpr size_t kMostStrangers = 128;

void Tell(LinkContext& context, const PeerIdentity& peer, PeerBook::News news) {
  if (news.restarted) context.log(fmt::format("node '{}' has been started anew", peer.name));
  if (news.restarted || news.after_silence) context.service->PeerHeard(peer.longest_lease);
}

}  // namespace

// A link and what is noted of it. Only control connections are told about: the others follow them.
struct WorkerLinks::Link : PeerLink::Observer {
  Link(net::Loop& loop, LinkContext& shared, cache::NodeId id, PeerLink::Config config)
      : context(shared),
        node(id),
        is_control(config.kind == wire::LINK_CONTROL),
        link(loop, std::move(config), shared.self, shared.secret, shared.service->budget(), *this) {
  }

  void OnLinkUp(const PeerIdentity& peer) override {
    // A link goes up once; it is down before it comes up again.
    is_up = true;
    Tell(context, peer, context.book.LinkUp(node, peer.incarnation));
    if (!is_control) return;
    context.book.Connected(node);
    context.log(fmt::format("node '{}' is connected", peer.name));
  }
  void OnLinkDown(const std::string& reason) override {
    if (std::exchange(is_up, false)) context.book.LinkDown(node);
    if (!is_control) return;
    context.book.Disconnected(node, reason);
    context.log(fmt::format("node '{}' is not connected: {}", context.ids.Name(node), reason));
  }
  void OnGoodbye() override {
    context.book.SaidGoodbye(node);
    if (is_control) context.log(fmt::format("node '{}' says goodbye", context.ids.Name(node)));
  }
  void OnEcho(cache::Duration round_trip) override {
    if (is_control) context.book.RoundTrip(node, round_trip);
  }

  LinkContext& context;
  const cache::NodeId node;
  const bool is_control;
  bool is_up = false;
  PeerLink link;
};

WorkerLinks::WorkerLinks(net::Loop& loop, LinkContext& context)
    : loop_(loop), context_(context), session_context_{context.self,       context.secret,
                                                       context.dead_after, *context.service,
                                                       *context.commands,  context.tls} {}

WorkerLinks::~WorkerLinks() = default;

void WorkerLinks::AddLink(cache::NodeId node, const net::Address& address, wire::LinkKind kind) {
  PeerLink::Config config{context_.ids.Name(node), address,     kind, context_.connect_timeout,
                          context_.dead_after,     context_.tls};
  auto link = std::make_unique<Link>(loop_, context_, node, std::move(config));
  Link& started = *link;
  (kind == wire::LINK_CONTROL ? control_ : data_)[node] = std::move(link);
  started.link.Start();
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
      link->link.Stop();
  }
}

PeerLink* WorkerLinks::data(cache::NodeId node) const {
  const auto at = data_.find(node);
  return at == data_.end() ? nullptr : &at->second->link;
}

PeerLink* WorkerLinks::control(cache::NodeId node) const {
  const auto at = control_.find(node);
  return at == control_.end() ? nullptr : &at->second->link;
}

cache::NodeId WorkerLinks::OnPeerHeard(const PeerIdentity& peer) {
  const cache::NodeId node = context_.ids.Intern(peer.name);
  Tell(context_, peer, context_.book.Heard(node, peer.incarnation));
  return node;
}

void WorkerLinks::OnSessionClosed(PeerSession& session, const std::string& peer,
                                  const std::string& reason) {
  // Without a hello it may be anybody: a wrong secret, a wrong version, a port scan.
  if (peer.empty()) context_.log(fmt::format("a peer's connection was closed: {}", reason));
  sessions_.erase(&session);
  TellIfGone();
}

}  // namespace cistern::cluster
