// Members: the nodes that make up the cluster, as the configuration lists them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace cistern::cluster {

struct Member {
  std::string name;
  std::string peer;    // address of its peer port, as other nodes dial it
  std::string client;  // address that clients are sent to
  uint32_t weight = 1;

  bool operator==(const Member&) const = default;
};

inline constexpr uint32_t kMaxWeight = 1000;
// More would make tables of 16384 rows uneven beyond use.
inline constexpr size_t kMaxMembers = 1000;

// A list that has been checked, sorted by name; immutable.
class MemberList {
 public:
  // All faults of the list, each one sentence that names what is at fault; else the list.
  static tl::expected<MemberList, std::vector<std::string>> Make(std::vector<Member> members,
                                                                 std::string_view self);

  const std::vector<Member>& members() const { return members_; }
  const Member& self() const { return members_[self_]; }
  // Null when there is none of that name. Valid as long as the list.
  const Member* Find(std::string_view name) const;
  // Of everything in the list: equal on all nodes that were configured alike, whatever the order.
  uint64_t Hash() const;

 private:
  MemberList(std::vector<Member> members, size_t self)
      : members_(std::move(members)), self_(self) {}

  std::vector<Member> members_;
  size_t self_;
};

}  // namespace cistern::cluster
