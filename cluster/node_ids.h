// NodeIds: names of nodes as small numbers.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cache/peer_picker.h"

namespace cistern::cluster {

// Dense from 0, given once a name and never taken back. All methods are thread-safe.
class NodeIds {
 public:
  // The name's number, a new one at its first call.
  cache::NodeId Intern(std::string_view name) {
    const std::unique_lock lock(mutex_);
    const auto known = ids_.find(name);
    if (known != ids_.end()) return known->second;
    const auto id = static_cast<cache::NodeId>(names_.size());
    names_.emplace_back(name);
    ids_.emplace(name, id);
    return id;
  }

  // Empty for a number never given.
  std::string Name(cache::NodeId id) const {
    const std::shared_lock lock(mutex_);
    return id < names_.size() ? names_[id] : std::string();
  }

  size_t size() const {
    const std::shared_lock lock(mutex_);
    return names_.size();
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, cache::NodeId, std::less<>> ids_;
  std::vector<std::string> names_;
};

}  // namespace cistern::cluster
