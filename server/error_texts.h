// Every error text of Redis that clients read: in its words, for clients compare them. Our own
// stand in cache/error.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cistern::server::error_texts {

inline constexpr std::string_view kNoAuth = "NOAUTH Authentication required.";
inline constexpr std::string_view kMaxClients = "ERR max number of clients reached";

// "ERR unknown command 'X', with args beginning with: 'a' 'b' ". Long ones are cut as Redis does.
std::string UnknownCommand(std::span<const std::string_view> args);
// `name` in lower case.
std::string WrongArity(std::string_view name);

}  // namespace cistern::server::error_texts
