// What a Redis server says, as it may be shown to clients and in the log.
#pragma once

#include <hiredis/hiredis.h>

#include <string>
#include <string_view>

namespace cistern::loader {

// Cut to a line's length; bytes that are no printable ASCII become dots.
std::string Printable(std::string_view text);

// The text of an error reply.
std::string ErrorText(const redisReply& reply);

// What hiredis makes replies with.
const redisReplyObjectFunctions& HiredisFunctions();

}  // namespace cistern::loader
