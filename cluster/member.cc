#include "cluster/member.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>

#include "cluster/hash_input.h"

namespace cistern::cluster {
namespace {

using Faults = std::vector<std::string>;

void CheckEach(const std::vector<Member>& members, Faults& faults) {
  for (size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    if (member.name.empty()) {
      faults.push_back(fmt::format("node {} of the list has no name", i + 1));
      continue;
    }
    if (member.peer.empty())
      faults.push_back(fmt::format("node '{}' has no peer address", member.name));
    if (member.client.empty())
      faults.push_back(fmt::format("node '{}' has no client address", member.name));
    if (member.weight == 0) {
      faults.push_back(fmt::format("node '{}' has weight 0; leave it out instead", member.name));
    } else if (member.weight > kMaxWeight) {
      faults.push_back(fmt::format("node '{}' has weight {}, more than {}", member.name,
                                   member.weight, kMaxWeight));
    }
  }
}

// Each value that two nodes share is told once.
void CheckUnique(const std::vector<Member>& members, std::string Member::*field,
                 std::string_view what, Faults& faults) {
  std::map<std::string_view, const Member*> seen;
  std::map<std::string_view, bool> told;
  for (const Member& member : members) {
    const std::string& value = member.*field;
    if (value.empty()) continue;
    const auto [first, is_new] = seen.emplace(value, &member);
    if (is_new || std::exchange(told[value], true)) continue;
    if (field == &Member::name) {
      faults.push_back(fmt::format("two nodes have the name '{}'", value));
    } else {
      faults.push_back(fmt::format("nodes '{}' and '{}' have the same {} address '{}'",
                                   first->second->name, member.name, what, value));
    }
  }
}

}  // namespace

tl::expected<MemberList, std::vector<std::string>> MemberList::Make(std::vector<Member> members,
                                                                    std::string_view self) {
  Faults faults;
  if (members.size() > kMaxMembers)
    faults.push_back(fmt::format("{} nodes, more than {}", members.size(), kMaxMembers));
  CheckEach(members, faults);
  CheckUnique(members, &Member::name, "", faults);
  CheckUnique(members, &Member::peer, "peer", faults);
  CheckUnique(members, &Member::client, "client", faults);
  const auto is_self = [self](const Member& member) { return member.name == self; };
  if (std::none_of(members.begin(), members.end(), is_self))
    faults.push_back(fmt::format("this node, '{}', is not in the list of nodes", self));
  if (!faults.empty()) return tl::unexpected(std::move(faults));

  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.name < b.name; });
  const auto at = std::find_if(members.begin(), members.end(), is_self) - members.begin();
  return MemberList(std::move(members), static_cast<size_t>(at));
}

const Member* MemberList::Find(std::string_view name) const {
  const auto at = std::lower_bound(
      members_.begin(), members_.end(), name,
      [](const Member& member, std::string_view wanted) { return member.name < wanted; });
  return at != members_.end() && at->name == name ? &*at : nullptr;
}

uint64_t MemberList::Hash() const {
  HashInput input;
  for (const Member& member : members_)
    input.Add(member.name).Add(member.peer).Add(member.client).Add(uint64_t{member.weight});
  return XXH3_64bits(input.bytes().data(), input.bytes().size());
}

}  // namespace cistern::cluster
