// Redis's glob patterns: * ? [a-z] [^a] and \ before what is meant as itself.
#pragma once

#include <string_view>

namespace cistern::server {

// Whether all of `text` matches `pattern`, byte by byte. Iterative: no pattern, however many stars,
// costs more than |pattern| x |text| steps. Where a pattern is broken (no closing bracket), it
// matches what Redis's stringmatchlen() would.
bool GlobMatch(std::string_view pattern, std::string_view text);

}  // namespace cistern::server
