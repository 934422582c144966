// What an unknown key was meant to be.
#pragma once

#include <string>
#include <string_view>

namespace cistern::server {

// Advice for a key that the section (dotted; empty: the top) does not know: "did you mean
// 'hot_lease'?", or where the key belongs, or what there is.
std::string SuggestFor(std::string_view section, std::string_view key);

}  // namespace cistern::server
