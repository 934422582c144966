// What a node takes of its configuration: its members at the start, and what changes while it runs.
#include <spdlog/spdlog.h>

#include "server/config/reload.h"
#include "server/group_specs.h"
#include "server/logging.h"
#include "server/node.h"

namespace cistern::server {
namespace {

std::vector<cluster::Member> Members(const Config& config) {
  std::vector<cluster::Member> members;
  for (const ClusterNode& node : config.cluster.nodes) {
    members.push_back({node.name, node.peer, node.client, static_cast<uint32_t>(node.weight)});
  }
  if (members.empty()) {
    const auto client = net::ListenAddress::Parse(config.server.listen.front());
    members.push_back({config.node.name, config.cluster.advertise,
                       client ? client->net::Address::ToString() : "", 1});
  }
  return members;
}

}  // namespace

tl::expected<cluster::MemberList, std::string> Node::MembersOf(const Config& config) {
  auto members = cluster::MemberList::Make(Members(config), config.node.name);
  if (!members) return tl::unexpected("cluster.nodes: " + members.error().front());
  return std::move(*members);
}

Node::Started Node::ChangeMembers(const Config& next) {
  if (next.cluster.nodes == config().cluster.nodes) return {};
  auto members = MembersOf(next);
  if (!members) return tl::unexpected(members.error());
  const auto changed = cluster_->ChangeMembers(std::move(*members));
  if (!changed) return tl::unexpected("cluster.nodes: " + changed.error());
  return {};
}

void Node::Reload(const Config& next) {
  const Reloaded reloaded = server::Reload(config(), next);
  std::vector<std::string> errors = reloaded.misfits;
  if (const auto members = ChangeMembers(reloaded.config); !members) {
    errors.push_back(members.error());
  }
  for (const std::string& error : errors)
    spdlog::error("{}", error);
  if (!errors.empty()) return spdlog::error("the configuration stays as it was");
  for (size_t i = 0; i < reloaded.config.groups.size(); ++i)
    cache_->groups()[i]->Reconfigure(MakeGroupConfig(reloaded.config.groups[i]));
  SetLogLevel(reloaded.config.log.level);
  config_.Publish(std::make_unique<const Config>(reloaded.config));
  for (const std::string& change : reloaded.changed)
    spdlog::info("changed: {}", change);
  for (const std::string& change : reloaded.refused)
    spdlog::warn("takes a restart, and stays as it was: {}", change);
  spdlog::info("the configuration is in force");
}

}  // namespace cistern::server
