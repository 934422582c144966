// RequestBatch: the requests of one read that are executed together.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cache/store.h"
#include "resp/request_parser.h"
#include "server/command.h"

namespace cistern::server {

struct Request {
  const Command* command;  // null: unknown
  bool fits;               // the row's arity
  uint32_t first;          // among the batch's arguments
  uint32_t count;
  size_t end;      // offset in the input behind it
  cache::Key key;  // the first, hashed, for look-ups; else without bytes
};

// One a worker, filled again and again. Everything it shows is valid until the next Fill() or until
// the input moves.
class RequestBatch {
 public:
  static constexpr size_t kMost = 64;

  RequestBatch() = default;
  RequestBatch(const RequestBatch&) = delete;
  RequestBatch& operator=(const RequestBatch&) = delete;

  // Takes at most `most` (<= kMost) requests from the front of `input`. Returns what the parser
  // said last: kRequest when there may be more.
  resp::RequestParser::Status Fill(resp::RequestParser& parser, std::string_view input, size_t most,
                                   const CommandTable& commands);
  // Brings what the look-ups among them will touch into the CPU's cache. A hint: all meaning lies
  // in executing them in order.
  void Prefetch(cache::Store& store);

  std::span<const Request> requests() const { return requests_; }
  std::span<const std::string_view> args(const Request& request) const {
    return {args_.data() + request.first, request.count};
  }
  // Bytes of the input that are done with once all requests are executed.
  size_t consumed() const { return consumed_; }

 private:
  void Take(std::span<const std::string_view> args, const CommandTable& commands);
  const Command* CommandNamed(std::string_view name, const CommandTable& commands);

  std::vector<Request> requests_;
  std::vector<std::string_view> args_;
  std::vector<cache::Key> keys_;  // of look-ups
  size_t consumed_ = 0;
  std::string_view last_name_;  // in this batch
  const Command* last_command_ = nullptr;
};

}  // namespace cistern::server
