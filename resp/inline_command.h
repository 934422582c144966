// Inline commands: what somebody types into nc or telnet, split into arguments by Redis's rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cistern::resp {

// Splits `line` (without its end) at white space. "..." knows \n \r \t \b \a \xHH and takes any
// other escaped byte as itself, '...' knows \' only; a closing quote must be followed by white
// space or the end. NUL is a byte like any other (Redis would wait for ever).
//
// Fills `args` from its front, growing it where needed and never shrinking it, and returns their
// number (0: an empty line), or -1: unbalanced quotes. Arguments without quotes are views into
// `line`, the others into `unquoted`, which is overwritten.
int SplitInline(std::string_view line, std::vector<std::string_view>& args, std::string& unquoted);

}  // namespace cistern::resp
