#include "server/group_specs.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cluster/hash_input.h"
#include "loader/none.h"
#include "loader/redis.h"
#include "loader/sqlite.h"
#include "server/config/words.h"

namespace cistern::server {
namespace {

using OriginPtr = std::unique_ptr<cache::Origin>;
using MadeOrigin = tl::expected<OriginPtr, std::string>;

MadeOrigin OpenSqlite(const GroupConfig& group, size_t workers) {
  const BackendConfig& backend = group.backend;
  auto origin = loader::SqliteOrigin::Open({.group = group.name,
                                            .path = backend.path,
                                            .query = backend.query,
                                            .timeout = backend.timeout,
                                            .connections = static_cast<int>(backend.connections),
                                            .batch = static_cast<int>(backend.batch)},
                                           static_cast<int>(workers));
  if (!origin) return tl::unexpected("group.backend: " + origin.error().text);
  return std::move(*origin);
}

MadeOrigin MakeRedis(const GroupConfig& group, const std::vector<net::Loop*>& loops) {
  const BackendConfig& backend = group.backend;
  const auto address = net::Address::Parse(backend.address);
  if (!address) {
    return tl::unexpected("group.backend.address: " + group.name + ": " + address.error());
  }
  return std::make_unique<loader::RedisOrigin>(
      loader::RedisOptions{.group = group.name,
                           .address = *address,
                           .user = backend.user,
                           .password = backend.password,
                           .database = static_cast<int>(backend.database),
                           .timeout = backend.timeout,
                           .connect_timeout = backend.connect_timeout,
                           .connections = static_cast<int>(backend.connections),
                           .batch = static_cast<int>(backend.batch),
                           .max_reply = static_cast<size_t>(backend.max_reply)},
      loops);
}

MadeOrigin MakeOrigin(const GroupConfig& group, const std::vector<net::Loop*>& loops) {
  switch (group.backend.type) {
    case BackendType::kNone:
      return std::make_unique<loader::NoneOrigin>();
    case BackendType::kSqlite:
      return OpenSqlite(group, loops.size());
    case BackendType::kRedis:
      return MakeRedis(group, loops);
  }
  return std::make_unique<loader::NoneOrigin>();
}

cache::BackendHealth::Listener LogHealth(const std::string& group) {
  return [group](const cache::Error* error) {
    if (error != nullptr) {
      spdlog::warn("a backend fails: {}", error->text);
    } else {
      spdlog::info("the backend of group '{}' answers again", group);
    }
  };
}

}  // namespace

cache::GroupConfig MakeGroupConfig(const GroupConfig& from) {
  cache::GroupConfig to;
  to.name = from.name;
  to.prefix = from.prefix;
  to.strip_prefix = from.strip_prefix;
  to.has_backend = from.backend.type != BackendType::kNone;
  if (from.memory != 0) to.memory = from.memory;
  to.policy = Word(from.policy);
  to.ttl = from.ttl;
  to.ttl_jitter = from.ttl_jitter;
  to.negative_ttl = from.negative_ttl;
  to.hold_off = from.hold_off;
  to.max_value = from.max_value;
  to.writes = from.writes == WriteMode::kCache ? cache::Writes::kCache : cache::Writes::kReject;
  to.max_loads = static_cast<uint32_t>(from.max_loads);
  to.max_load_bytes = from.max_load_bytes;
  to.max_waiters = static_cast<uint32_t>(from.max_waiters);
  to.hot_sample = static_cast<uint32_t>(from.hot_sample);
  to.hot_share = from.hot_share;
  to.hot_lease = from.hot_lease;
  return to;
}

tl::expected<std::vector<cache::GroupSpec>, std::string> MakeGroupSpecs(
    const Config& config, const std::vector<net::Loop*>& loops) {
  std::vector<cache::GroupSpec> specs;
  for (const GroupConfig& group : config.groups) {
    auto origin = MakeOrigin(group, loops);
    if (!origin) return tl::unexpected(origin.error());
    specs.push_back({MakeGroupConfig(group), std::move(*origin), LogHealth(group.name)});
  }
  return specs;
}

uint64_t HashOfGroups(const Config& config) {
  std::vector<const GroupConfig*> groups;
  for (const GroupConfig& group : config.groups)
    groups.push_back(&group);
  std::sort(groups.begin(), groups.end(),
            [](const GroupConfig* a, const GroupConfig* b) { return a->name < b->name; });
  cluster::HashInput input;
  for (const GroupConfig* group : groups) {
    input.Add(group->name)
        .Add(group->prefix)
        .Add(static_cast<uint64_t>(group->writes))
        .Add(static_cast<uint64_t>(group->hot_lease.count()));
  }
  return cache::HashKey(input.bytes());
}

}  // namespace cistern::server
