// The password that clients give.
#pragma once

#include <string_view>

namespace cistern::server {

// Takes the same time wherever they differ: who guesses learns nothing from it. (thread-safe)
bool SamePassword(std::string_view given, std::string_view wanted);

// Redis knows one user without being told: "default". An empty `wanted`: no password is asked for,
// any is right.
inline bool MayEnter(std::string_view user, std::string_view given, std::string_view wanted) {
  return (wanted.empty() || SamePassword(given, wanted)) && user == "default";
}

}  // namespace cistern::server
