// What this node asks of others.
#include <set>
#include <utility>

#include "cluster/cluster.h"
#include "cluster/worker_links.h"

namespace cistern::cluster {

namespace errors = cache::errors;

cache::Pick Cluster::Owner(std::string_view key) const {
  const OwnerTable& owners = table();
  // A node alone need not reckon which one it is.
  const bool is_any = owners.has_one_owner() && !context_->agreement.has_disputes();
  const SlotIndex slot = is_any ? SlotIndex{0} : SlotOf(key);
  const cache::NodeId node = owners.owners[slot];
  return {node == self_, node, owners.epoch(), context_->agreement.IsDisputed(slot)};
}

bool Cluster::IsReachable(cache::NodeId node) const {
  return context_->book.IsReachable(node);
}

std::vector<cache::PeerStart> Cluster::Dissenters() const {
  return context_->agreement.Dissenters();
}

std::string Cluster::SelfName() const {
  return context_->self.name();
}

PeerLink* Cluster::DataLink(cache::Executor& executor, cache::NodeId node) const {
  const auto worker = static_cast<size_t>(executor.index());
  return worker < links_.size() ? links_[worker]->data(node) : nullptr;
}

void Cluster::Fetch(cache::Executor& executor, cache::NodeId node,
                    std::shared_ptr<cache::PeerFetch> fetch) {
  PeerLink* link = DataLink(executor, node);
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
  PeerLink* link = DataLink(executor, node);
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
  // Members, and who takes itself for one.
  const OwnerTable& now = table();
  std::set<cache::NodeId> nodes;
  for (const Member& member : now.members.members())
    nodes.insert(context_->ids.Intern(member.name));
  for (const cache::PeerStart& peer : Dissenters())
    nodes.insert(peer.node);
  nodes.erase(self_);
  auto parts = std::make_shared<Parts>(Parts{nodes.size(), now.epoch(), std::move(done)});
  if (nodes.empty()) return parts->done->Done(parts->who);
  for (const cache::NodeId node : nodes) {
    auto part = cache::Completion<cache::Result<cache::Incarnation>>::Make(
        executor, [parts](const cache::Result<cache::Incarnation>& incarnation) {
          if (!incarnation) return parts->done->Done(tl::unexpected(incarnation.error()));
          parts->who += *incarnation;  // a sum: they come in any order
          if (--parts->left == 0) parts->done->Done(parts->who);
        });
    PurgeAt(executor, node, scope, round, std::move(part));
  }
}

void Cluster::PurgeAt(cache::Executor& executor, cache::NodeId node, const cache::PurgeScope& scope,
                      cache::PurgeRound round,
                      cache::CompletionPtr<cache::Result<cache::Incarnation>> done) {
  if (PeerLink* link = DataLink(executor, node)) return link->Purge(scope, round, std::move(done));
  if (links_.empty()) return done->Done(tl::unexpected(errors::NotPurged(NodeName(node))));
  // To who is no member there is but a control connection.
  WorkerLinks& links = *links_[kControlWorker];
  links.loop().Post([&links, node, scope, round, done, name = NodeName(node)] {
    PeerLink* link = links.control(node);
    if (link == nullptr) return done->Done(tl::unexpected(errors::NotPurged(name)));
    link->Purge(scope, round, done);
  });
}

void Cluster::RunAtOwner(cache::Executor& executor, cache::NodeId node,
                         std::vector<std::string> args,
                         cache::CompletionPtr<cache::Result<CommandReply>> done) {
  PeerLink* link = DataLink(executor, node);
  if (link == nullptr) return done->Done(tl::unexpected(errors::PeerUnreachable(NodeName(node))));
  link->Run(next_operation_.fetch_add(1, std::memory_order_relaxed), std::move(args),
            std::move(done));
}

}  // namespace cistern::cluster
