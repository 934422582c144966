// load.h's defaults, and those that depend on other rows.
#include <unistd.h>

#include <array>

#include "server/config/checks.h"
#include "server/config/load.h"
#include "server/config/value.h"

namespace cistern::server {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

void CompleteGroup(const ServerConfig& server, GroupConfig& group, const Positions& positions,
                   const std::string& place) {
  if (!positions.Given(place + ".policy")) group.policy = server.policy;
  if (group.backend.type != BackendType::kNone || !positions.Sound(place + ".backend.type")) return;
  if (!positions.Given(place + ".writes")) group.writes = WriteMode::kCache;
  if (!positions.Given(place + ".hot_sample")) group.hot_sample = 0;
}

}  // namespace

Config DefaultConfig() {
  Config config;
  Target target;
  target.config = &config;
  SetDefaults(nullptr, target);
  return config;
}

GroupConfig DefaultGroup() {
  GroupConfig group;
  Target target;
  target.group = &group;
  SetDefaults(FindRow("group"), target);
  return group;
}

void Complete(Config& config, const Positions& positions) {
  if (config.node.name.empty() && positions.Sound("node.name")) config.node.name = HostName();
  if (config.cluster.advertise.empty()) {
    config.cluster.advertise = config.cluster.listen;
    for (const ClusterNode& node : config.cluster.nodes) {
      if (node.name == config.node.name && !node.peer.empty()) config.cluster.advertise = node.peer;
    }
  }
  for (size_t i = 0; i < config.groups.size(); ++i)
    CompleteGroup(config.server, config.groups[i], positions, ElementPlace("group", i));
}

}  // namespace cistern::server
