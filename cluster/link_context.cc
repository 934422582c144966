#include "cluster/link_context.h"

#include <fmt/format.h>

namespace cistern::cluster {

void LinkContext::OnHello(cache::NodeId node, const PeerIdentity& peer, PeerBook::News news) {
  if (news.restarted) log(fmt::format("node '{}' has been started anew", peer.name));
  if (news.restarted || news.after_silence) service->PeerHeard(peer.longest_lease);
  OnPeerChanged(node, peer);
}

void LinkContext::OnPeerChanged(cache::NodeId node, const PeerIdentity& peer) {
  if (agreement.Heard(node, peer)) service->CutDisputed();
  invite(node, peer);
}

}  // namespace cistern::cluster
