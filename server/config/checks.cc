#include "server/config/checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "net/address.h"
#include "server/config/rows.h"
#include "server/config/units.h"

namespace cistern::server {
namespace {

class Checker {
 public:
  Checker(const Config& config, const Positions& positions)
      : config_(config), positions_(positions) {}

  std::vector<Finding> Run() {
    CheckProtection();
    CheckOwnAddresses();
    CheckClientTls();
    CheckPeerTls();
    CheckNodes();
    CheckGroups();
    CheckGroupMemory();
    return std::move(findings_);
  }

 private:
  template <class... Args>
  void Find(const std::string& place, fmt::format_string<Args...> text, Args&&... args) {
    findings_.push_back({positions_.Of(place), fmt::format(text, std::forward<Args>(args)...)});
  }

  // Rows of one element of a list that must be there. `place` is the element's.
  void CheckRequired(std::string_view list, const std::string& place, BackendType type) {
    for (const Row& row : ConfigRows()) {
      const Row* enclosing = EnclosingList(row);
      if (enclosing == nullptr || enclosing->name != list) continue;
      const std::string row_place = place + std::string(row.name.substr(list.size()));
      if (!row.belongs_to(type)) {
        if (positions_.Given(row_place)) {
          Find(row_place, "{} does not belong to a backend of type '{}'; remove it", row.name,
               Word(type));
        }
      } else if (row.required() && !positions_.Given(row_place)) {
        Find(row_place, "{} is missing; add a line '{} = ...'", row.name, row.key());
      }
    }
  }

  // "The same thing twice": `what` is given by two places.
  void CheckUnique(std::map<std::string, std::string>& seen, const std::string& what,
                   const std::string& place, std::string_view row) {
    const auto [first, is_new] = seen.emplace(what, place);
    if (is_new) return;
    Find(place, "{} '{}' is taken already, in line {}; choose another", row, what,
         positions_.Of(first->second).line);
  }

  void CheckProtection() {
    if (!config_.server.protected_mode || !positions_.Sound("server.protected_mode")) return;
    const bool has_password =
        !config_.server.password.empty() || !positions_.Sound("server.password");
    const bool has_secret = !config_.cluster.secret.empty() || config_.cluster.tls.is_on() ||
                            !positions_.Sound("cluster.secret");
    for (size_t i = 0; i < config_.server.listen.size() && !has_password; ++i) {
      if (IsTls(config_.server.listen[i]) && HasClientCertificates()) continue;
      CheckLocal(config_.server.listen[i], ElementPlace("server.listen", i), "server.password");
    }
    if (!has_password) CheckLocal(config_.admin.listen, "admin.listen", "server.password");
    if (!has_secret) CheckLocal(config_.cluster.listen, "cluster.listen", "cluster.secret");
  }

  void CheckLocal(const std::string& text, const std::string& place, std::string_view cure) {
    const auto address = net::ListenAddress::Parse(text);
    if (!address || address->is_loopback()) return;
    Find(place,
         "'{}' can be reached by other machines, and nothing is asked of them; set {}, listen on "
         "127.0.0.1, or set server.protected_mode = false",
         text, cure);
  }

  void CheckOwnAddresses() {
    std::map<std::string, std::string> seen;
    const auto look = [&](const std::string& text, const std::string& place) {
      const auto address = net::ListenAddress::Parse(text);
      if (!address || (address->kind == net::Address::Kind::kTcp && address->port == 0)) return;
      CheckUnique(seen, address->net::Address::ToString(), place, "the address");
    };
    for (size_t i = 0; i < config_.server.listen.size(); ++i)
      look(config_.server.listen[i], ElementPlace("server.listen", i));
    look(config_.admin.listen, "admin.listen");
    look(config_.cluster.listen, "cluster.listen");
  }

  static bool IsTls(const std::string& text) {
    const auto address = net::ListenAddress::Parse(text);
    return address && address->tls;
  }

  // Where the row is not sound, what it was meant to say counts as said.
  bool HasClientCertificates() const {
    return config_.server.tls.client_auth == net::ClientAuth::kYes ||
           !positions_.Sound("server.tls.client_auth");
  }

  void CheckClientTls() {
    if (!positions_.Sound("server.listen") || !positions_.Sound("server.tls")) return;
    const net::TlsOptions& tls = config_.server.tls;
    const auto& listen = config_.server.listen;
    const auto first = std::ranges::find_if(listen, IsTls);
    if (first == listen.end()) {
      if (!positions_.Given("server.tls")) return;
      Find("server.tls",
           "server.tls is of no use: no address of server.listen has \"tls:\" in front");
    } else if (!positions_.Given("server.tls")) {
      Find(ElementPlace("server.listen", static_cast<size_t>(first - listen.begin())),
           "'{}' has no certificate; set server.tls = {{ cert = ..., key = ... }}", *first);
      return;
    }
    CheckTlsPaths("server.tls", tls, tls.client_auth != net::ClientAuth::kNo);
  }

  void CheckPeerTls() {
    if (!positions_.Given("cluster.tls") || !positions_.Sound("cluster.tls")) return;
    CheckTlsPaths("cluster.tls", config_.cluster.tls, true);
  }

  // Also whether the files are what they should be.
  void CheckTlsPaths(const std::string& place, const net::TlsOptions& tls, bool needs_ca) {
    const std::pair<std::string, const std::string*> paths[] = {
        {place + ".cert", &tls.cert}, {place + ".key", &tls.key}, {place + ".ca", &tls.ca}};
    for (const auto& [row, path] : paths) {
      if (!positions_.Sound(row)) return;
      if (!path->empty() || (path == &tls.ca && !needs_ca)) continue;
      Find(place, "{0} is missing; add {1} = \"a file in PEM form\"", row,
           row.substr(place.size() + 1));
      return;
    }
    const auto loaded = net::TlsContext::Load(tls);
    if (loaded) return;
    const auto* at_fault = std::ranges::find_if(paths, [&](const auto& row_and_path) {
      return loaded.error().starts_with(*row_and_path.second + ": ");
    });
    const std::string& row = at_fault == std::end(paths) ? place : at_fault->first;
    Find(row, "{}: {}", row, loaded.error());
  }

  void CheckNodes() {
    const auto& nodes = config_.cluster.nodes;
    if (nodes.empty() || !positions_.Sound("cluster.nodes")) return;
    std::map<std::string, std::string> names;
    std::map<std::string, std::string> addresses;
    const ClusterNode* self = nullptr;
    bool all_names_sound = positions_.Sound("node.name");
    for (size_t i = 0; i < nodes.size(); ++i) {
      const std::string place = ElementPlace("cluster.nodes", i);
      CheckRequired("cluster.nodes", place, BackendType::kNone);
      all_names_sound = all_names_sound && !nodes[i].name.empty();
      if (nodes[i].name == config_.node.name) self = &nodes[i];
      if (!nodes[i].name.empty()) CheckUnique(names, nodes[i].name, place + ".name", "the name");
      if (!nodes[i].peer.empty())
        CheckUnique(addresses, nodes[i].peer, place + ".peer", "the address");
      if (!nodes[i].client.empty())
        CheckUnique(addresses, nodes[i].client, place + ".client", "the address");
    }
    if (!all_names_sound) return;
    if (self == nullptr) {
      Find("cluster.nodes", "cluster.nodes is without this node, '{}'; add it, or set node.name",
           config_.node.name);
    } else if (positions_.Given("cluster.advertise") && positions_.Sound("cluster.advertise") &&
               !self->peer.empty() && self->peer != config_.cluster.advertise) {
      Find("cluster.advertise",
           "cluster.advertise is '{}', but cluster.nodes says that this node is at '{}'; remove "
           "cluster.advertise",
           config_.cluster.advertise, self->peer);
    }
  }

  void CheckGroups() {
    std::map<std::string, std::string> names;
    std::map<std::string, std::string> prefixes;
    for (size_t i = 0; i < config_.groups.size(); ++i) {
      const GroupConfig& group = config_.groups[i];
      const std::string place = ElementPlace("group", i);
      CheckBackend(group, place);
      CheckLease(group, place);
      CheckPolicy(group, place);
      if (!group.name.empty()) CheckUnique(names, group.name, place + ".name", "the name");
      if (positions_.Sound(place + ".prefix"))
        CheckUnique(prefixes, group.prefix, place + ".prefix", "the prefix");
    }
  }

  void CheckBackend(const GroupConfig& group, const std::string& place) {
    const std::string backend = place + ".backend";
    if (!positions_.Sound(backend + ".type")) return;
    if (positions_.Given(backend) && positions_.Sound(backend) &&
        !positions_.Given(backend + ".type")) {
      Find(backend, "group.backend.type is missing; choose {}",
           fmt::join(Words<BackendType>::kNow, ", "));
      return;
    }
    CheckRequired("group", place, group.backend.type);
    if (group.backend.type == BackendType::kNone && group.writes == WriteMode::kReject &&
        positions_.Sound(place + ".writes")) {
      Find(place + ".writes",
           "group.writes is 'reject' and there is no backend, so nothing could ever be in this "
           "group; choose 'cache', or add [group.backend]");
    }
    if (!group.backend.user.empty() && group.backend.password.empty() &&
        positions_.Sound(backend + ".password")) {
      Find(backend + ".user", "group.backend.user has no password; add group.backend.password");
    }
  }

  void CheckLease(const GroupConfig& group, const std::string& place) {
    const std::string lease = place + ".hot_lease";
    if (!positions_.Sound(lease) || !positions_.Sound("cluster.longest_lease")) return;
    if (group.hot_lease <= config_.cluster.longest_lease) return;
    Find(lease,
         "group.hot_lease is {}, longer than cluster.longest_lease, {}; lower one or raise "
         "the other",
         FormatDuration(group.hot_lease), FormatDuration(config_.cluster.longest_lease));
  }

  void CheckPolicy(const GroupConfig& group, const std::string& place) {
    if (!positions_.Given(place + ".policy") || group.memory != 0) return;
    if (group.policy == config_.server.policy) return;
    if (!positions_.Sound(place + ".memory")) return;
    Find(place + ".policy",
         "group.policy is of no use without group.memory: the group shares what server.policy "
         "rules; add memory, or remove it");
  }

  // At the first group that no longer fits.
  void CheckGroupMemory() {
    if (!positions_.Sound("server.memory")) return;
    uint64_t sum = 0;  // at most 256 groups of 64 TiB: no overflow
    for (size_t i = 0; i < config_.groups.size(); ++i) {
      sum += config_.groups[i].memory;
      if (sum <= config_.server.memory) continue;
      Find(ElementPlace("group", i) + ".memory",
           "the groups up to here have {} of their own, more than server.memory, {}; lower one or "
           "raise the other",
           FormatSize(sum), FormatSize(config_.server.memory));
      return;
    }
  }

  const Config& config_;
  const Positions& positions_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckConfig(const Config& config, const Positions& positions) {
  return Checker(config, positions).Run();
}

}  // namespace cistern::server
