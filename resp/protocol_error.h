// ProtocolError: what is wrong with the bytes of a client, in Redis's own words.
#pragma once

#include <cstdint>
#include <string>

namespace cistern::resp {

struct ProtocolError {
  enum class Kind : uint8_t {
    kNone,
    kMultibulkLength,                 // "*" line: not a number, too large, or not ended by \r\n
    kBulkLength,                      // "$" line likewise, or a bulk not followed by \r\n
    kExpectedDollar,                  // something else where an argument begins; see `got`
    kUnbalancedQuotes,                // inline command
    kMultibulkLineTooLong,            // "*" line without end
    kBulkLineTooLong,                 // "$" line without end
    kInlineTooLong,                   // inline command without end
    kUnauthenticatedMultibulkLength,  // allowed only after authentication
    kUnauthenticatedBulkLength,
  };

  Kind kind = Kind::kNone;
  char got = 0;  // kExpectedDollar: the byte in its place; any value

  // "Protocol error: invalid bulk length": the error reply is "ERR " and this. May contain `got`
  // raw; ReplyWriter::Error makes it safe.
  std::string Text() const;

  bool operator==(const ProtocolError&) const = default;
};

}  // namespace cistern::resp
