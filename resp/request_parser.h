// RequestParser: the bytes of one client become requests: flat arrays of bulk strings, and inline
// commands. One a connection; belongs to the connection's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "resp/plain_requests.h"
#include "resp/protocol_error.h"

namespace cistern::resp {

// All inclusive. Nothing is allocated from a length on the wire before the bytes arrive.
struct Limits {
  int64_t max_elements = 1'048'576;
  int64_t max_bulk_bytes = 512LL << 20;
  size_t max_line_bytes = 64 << 10;  // an inline command, with its \r, without its \n
  // Before authentication these hold too, for arrays; an inline command is bounded by its line.
  bool authenticated = true;
  int64_t unauthenticated_elements = 10;
  int64_t unauthenticated_bulk_bytes = 16 << 10;
};

// How it is used:
//
//   while (true) {
//     const auto status = parser.Parse(input);
//     input.remove_prefix(parser.consumed());
//     if (status != RequestParser::Status::kRequest) break;
//     Execute(parser.args());
//   }
//
// What is left in `input` after kIncomplete comes again, at the same or another address, with more
// bytes behind it. What was parsed is remembered as offsets and not read again, and the payload of
// a bulk is never read at all.
class RequestParser {
 public:
  enum class Status : uint8_t {
    kRequest,     // args() has one, with at least one argument
    kIncomplete,  // no whole request left: call again with bytes_wanted() more, or any more
    kError,       // see error(); the connection is to be closed, each further call says the same
  };

  explicit RequestParser(const Limits& limits = {}) : limits_(limits) {}
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // `input` starts at the first byte that no earlier call consumed. Requests without arguments
  // (empty lines, *0, *-1) are consumed and skipped, as in Redis: they get no reply.
  Status Parse(std::string_view input);

  // The quick way: reads the plain ones of `input`, which is as for Parse(), within the limits.
  // What it leaves goes to Parse().
  PlainRequests Plain(std::string_view input, RequestHead& head) const;

  // Bytes from the front of the last call's input that are done with: the request, and what was
  // skipped. May be above 0 after kIncomplete too. 0 after kError.
  size_t consumed() const { return consumed_; }

  // After kRequest: the arguments, at least one. The span itself is good until the next Parse().
  // The views point into that call's input and live as long as those bytes stay in their place,
  // later calls included; but see args_are_own().
  std::span<const std::string_view> args() const { return {args_.data(), count_}; }

  // After kRequest: true if some views point into the parser instead (an inline command with
  // quotes) and so are good only until the next Parse(). A batch ends at such a request.
  bool args_are_own() const { return !unquoted_.empty(); }

  // After kIncomplete: how many more bytes, at least 1, must come before a call can get on. Large
  // for a large bulk whose length is known: an upper layer may read so many straight away. (Bounded
  // by the limits; still no reason to allocate so much before the bytes arrive.)
  size_t bytes_wanted() const { return bytes_wanted_; }

  // After kError.
  const ProtocolError& error() const { return error_; }

  // Forgets what it knows of a request that is incomplete or wrong: the next input starts at the
  // first byte of that request again, or of an earlier one. For a caller that parsed ahead of what
  // it can execute now.
  void Rewind() { StartAfresh(); }

  // Hold for every length that is parsed from now on: a client that pipelines behind its AUTH is
  // to be parsed on only when AUTH has been executed.
  void set_limits(const Limits& limits) { limits_ = limits; }
  const Limits& limits() const { return limits_; }

  // Memory held beyond the object itself: grows with the arguments received, given back after large
  // requests.
  size_t allocated_bytes() const;

 private:
  enum class State : uint8_t { kStart, kCount, kBulkLength, kBulk, kInline, kFailed };
  enum class Step : uint8_t { kGoOn, kRequest, kSkipped, kIncomplete, kError };
  struct Extent {
    size_t offset;
    size_t size;
  };

  Status ParseOn(std::string_view input);
  Step Advance(std::string_view input);
  Step ReadCount(std::string_view input);
  Step ReadBulkLength(std::string_view input);
  Step ReadBulk(std::string_view input);
  Step ReadInline(std::string_view input);
  Step FindLine(std::string_view input, char last, ProtocolError::Kind too_long);
  Step Finish(std::string_view input);
  Step Want(size_t bytes);
  Step Fail(ProtocolError::Kind kind, char got = 0);
  void StartAfresh();
  void GiveBackMemory();

  Limits limits_;
  State state_ = State::kStart;
  // Offsets in the input of the request that is being parsed: the next byte to parse, and from
  // where on its line's end is still to be looked for (>= at_).
  size_t at_ = 0;
  size_t line_end_ = 0;
  int64_t elements_left_ = 0;
  size_t bulk_size_ = 0;
  std::vector<Extent> extents_;  // the arguments of a request under way

  size_t consumed_ = 0;
  size_t bytes_wanted_ = 1;
  size_t count_ = 0;
  std::vector<std::string_view> args_;  // the first count_ are valid; never shortened, so that
                                        // nothing is initialised again for each request
  std::string unquoted_;
  ProtocolError error_;
};

}  // namespace cistern::resp
