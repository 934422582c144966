#include "cluster/noted_link.h"

#include <fmt/format.h>

#include <utility>

#include "cache/holders.h"

namespace cistern::cluster {

NotedLink::NotedLink(net::Loop& loop, LinkContext& context, const PeerAddress& peer,
                     wire::LinkKind kind)
    : loop_(loop),
      context_(context),
      node_(peer.node),
      is_control_(kind == wire::LINK_CONTROL),
      link_(loop,
            {context.ids.Name(peer.node), peer.address, kind, context.connect_timeout,
             context.dead_after, context.tls},
            context.self, context.secret, context.service->budget(), *this) {}

NotedLink::~NotedLink() {
  if (forget_ != 0) loop_.Cancel(forget_);
}

void NotedLink::Stop() {
  loop_.Cancel(std::exchange(forget_, 0));
  if (std::exchange(is_up_, false)) context_.book.LinkDown(node_);
  link_.Stop();
}

void NotedLink::SetGuest(std::function<void()> gone) {
  gone_ = std::move(gone);
  if (!is_up_ && forget_ == 0) ForgetAfterALease();
}

// A link goes up once; it is down before it comes up again.
void NotedLink::OnLinkUp(const PeerIdentity& peer) {
  loop_.Cancel(std::exchange(forget_, 0));
  is_up_ = true;
  const PeerBook::News news = context_.book.LinkUp(node_, peer.incarnation);
  if (is_control_) context_.book.Connected(node_);
  context_.OnHello(node_, peer, news);
  if (is_control_) context_.log(fmt::format("node '{}' is connected", peer.name));
}

void NotedLink::OnLinkDown(const std::string& reason) {
  if (std::exchange(is_up_, false)) context_.book.LinkDown(node_);
  if (!is_control_) return;
  context_.book.Disconnected(node_, reason);
  context_.log(fmt::format("node '{}' is not connected: {}", context_.ids.Name(node_), reason));
  ForgetAfterALease();
}

// What it holds of this node's ends by then.
void NotedLink::ForgetAfterALease() {
  const cache::Instant now = loop_.clock().Now();
  const cache::Instant end = cache::LeaseEnd(now, context_.agreement.longest_lease());
  forget_ = loop_.After(end - now, [this] {
    forget_ = 0;
    // It cannot be dialled, but is there: what it says of itself still holds.
    if (context_.book.State(node_).sessions > 0) return ForgetAfterALease();
    context_.agreement.Forget(node_);
    if (gone_) loop_.Post(gone_);
  });
}

void NotedLink::OnGoodbye() {
  context_.book.SaidGoodbye(node_);
  context_.agreement.Forget(node_);
  if (is_control_) context_.log(fmt::format("node '{}' says goodbye", context_.ids.Name(node_)));
}

void NotedLink::OnPeerChanged(const PeerIdentity& peer) {
  context_.OnPeerChanged(node_, peer);
}

void NotedLink::OnEcho(cache::Duration round_trip) {
  if (is_control_) context_.book.RoundTrip(node_, round_trip);
  const PeerBook::News news = context_.book.Echoed(node_, loop_.clock().Now());
  if (news.after_silence) context_.service->PeerHeard(cache::Duration(0));
}

void NotedLink::OnSilence(cache::Instant since) {
  context_.book.Silent(node_, since);
}

}  // namespace cistern::cluster
