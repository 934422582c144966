// Where in the file each value of a configuration came from.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/config_error.h"

namespace cistern::server {

// Values are named by their place: "server.memory", "group[1].backend.path", "server.listen[0]";
// tables too: "group[1]".
class Positions {
 public:
  void Add(const std::string& place, SourcePosition position) { given_[place] = position; }
  void AddBad(const std::string& place) { bad_.insert(place); }

  // Whether the file says anything about it, right or wrong.
  bool Given(const std::string& place) const { return given_.contains(place); }
  // Whether it can be judged: not given, or given in good form.
  bool Sound(const std::string& place) const { return !bad_.contains(place); }

  // Its position; that of what surrounds it, where it is not given.
  SourcePosition Of(std::string place) const {
    while (true) {
      if (const auto found = given_.find(place); found != given_.end()) return found->second;
      const size_t end = place.find_last_of(".[");
      if (end == std::string::npos) return {1, 1};
      place.resize(end);
    }
  }

 private:
  std::map<std::string, SourcePosition> given_;
  std::set<std::string> bad_;
};

// "group" and 1: "group[1]".
inline std::string ElementPlace(std::string_view list, size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

}  // namespace cistern::server
