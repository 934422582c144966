// Purge: everything, a group, or all keys of a prefix, gone from every node.
#pragma once

#include <cstdint>
#include <string>

namespace cistern::cache {

struct PurgeScope {
  enum class Kind : uint8_t { kAll, kGroup, kPrefix };
  Kind kind = Kind::kAll;
  std::string name;  // of the group, or the prefix
};

// A copy may be granted by an owner that has not dropped its own yet: so every node runs the first
// round before any runs the second.
enum class PurgeRound : uint8_t {
  kMain,    // what this node owns, and flights that load it
  kCopies,  // copies of what others own, and requests for them
};

}  // namespace cistern::cache
