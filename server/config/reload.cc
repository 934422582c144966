#include "server/config/reload.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/config/checks.h"
#include "server/config/rows.h"
#include "server/config/value.h"

namespace cistern::server {
namespace {

// Whether a row's values in two targets are the same; of a list of tables: in all their rows.
struct IsSame {
  const Target& a;
  const Target& b;

  template <class T>
  bool operator()(Ref<T> at) const {
    return at(a) == at(b);
  }
  bool operator()(const EnumRef& at) const { return at.get(a) == at.get(b); }
  bool operator()(const TablesRef&) const { return true; }
  bool operator()(std::monostate) const { return true; }
};

struct Copy {
  const Target& to;
  const Target& from;

  template <class T>
  void operator()(Ref<T> at) const {
    at(to) = at(from);
  }
  void operator()(const EnumRef& at) const { at.set(to, at.get(from)); }
  void operator()(const TablesRef&) const {}
  void operator()(std::monostate) const {}
};

// Merges row by row: from what was read into what holds.
class Merge {
 public:
  Merge(Reloaded& result, Config next) : result_(result), next_(std::move(next)) {}

  void Run() {
    MergeRows(nullptr, {.config = &result_.config}, {.config = &next_}, "");
    MergeNodes();
    MergeGroups();
  }

 private:
  // The rows of one element of `list`; those in no list, where it is null.
  void MergeRows(const Row* list, const Target& to, const Target& from, const std::string& whose) {
    for (const Row& row : ConfigRows()) {
      if (EnclosingList(row) != list) continue;
      if (std::visit(IsSame{to, from}, row.field.access)) continue;
      const std::string change =
          fmt::format("{}{}: {} -> {}", row.name, whose, Shown(row, to), Shown(row, from));
      if (row.change == Change::kReload) {
        std::visit(Copy{to, from}, row.field.access);
        result_.changed.push_back(change);
      } else {
        result_.refused.push_back(change);
      }
    }
  }
  static std::string Shown(const Row& row, const Target& target) {
    const std::string text = FormatValue(row, target);
    return text.empty() ? "(empty)" : text;
  }

  void MergeNodes() {
    if (result_.config.cluster.nodes == next_.cluster.nodes) return;
    result_.config.cluster.nodes = next_.cluster.nodes;
    std::string names;
    for (const ClusterNode& node : next_.cluster.nodes)
      names += (names.empty() ? "" : " ") + node.name;
    result_.changed.push_back("cluster.nodes: now " + names);
  }

  void MergeGroups() {
    const Row* list = FindRow("group");
    for (GroupConfig& group : result_.config.groups) {
      if (GroupConfig* read = Find(next_.groups, group.name)) {
        MergeRows(list, {.config = &result_.config, .group = &group},
                  {.config = &next_, .group = read}, fmt::format(" of '{}'", group.name));
      } else {
        result_.refused.push_back(fmt::format("group: '{}' is not there any more", group.name));
      }
    }
    for (const GroupConfig& read : next_.groups) {
      if (Find(result_.config.groups, read.name) != nullptr) continue;
      result_.refused.push_back(fmt::format("group: '{}' is new", read.name));
    }
  }
  static GroupConfig* Find(std::vector<GroupConfig>& groups, const std::string& name) {
    const auto at = std::ranges::find(groups, name, &GroupConfig::name);
    return at == groups.end() ? nullptr : &*at;
  }

  Reloaded& result_;
  Config next_;
};

// What must stand in a file about an element of `list` stood in one.
void AddRequired(std::string_view list, size_t index, BackendType type, Positions& positions) {
  for (const Row& row : ConfigRows()) {
    const Row* enclosing = EnclosingList(row);
    if (enclosing == nullptr || enclosing->name != list) continue;
    if (!row.required() || !row.belongs_to(type)) continue;
    positions.Add(ElementPlace(list, index) + std::string(row.name.substr(list.size())), {});
  }
}

// As if one file said all that holds.
Positions PositionsOf(const Config& config) {
  Positions positions;
  if (config.server.tls.is_on()) positions.Add("server.tls", {});
  if (config.cluster.tls.is_on()) positions.Add("cluster.tls", {});
  for (size_t i = 0; i < config.groups.size(); ++i)
    AddRequired("group", i, config.groups[i].backend.type, positions);
  for (size_t i = 0; i < config.cluster.nodes.size(); ++i)
    AddRequired("cluster.nodes", i, BackendType::kNone, positions);
  return positions;
}

}  // namespace

Reloaded Reload(const Config& now, const Config& next) {
  Reloaded reloaded{.config = now, .changed = {}, .refused = {}, .misfits = {}};
  Merge(reloaded, next).Run();
  for (Finding& finding : CheckConfig(reloaded.config, PositionsOf(reloaded.config)))
    reloaded.misfits.push_back(std::move(finding.message));
  if (!reloaded.misfits.empty()) reloaded.config = now;
  return reloaded;
}

}  // namespace cistern::server
