// RequestBatch: the requests of one read that are executed together.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cache/lookahead.h"
#include "resp/request_parser.h"
#include "server/command.h"

namespace cistern::server {

struct Request {
  const Command* command;  // null: unknown
  bool fits;               // the row's arity
  uint32_t first_arg;      // among the batch's arguments
  uint32_t args;
  uint32_t first_key;  // among the batch's keys
  uint32_t keys;       // 0 too where the request does not fit
  size_t end;          // offset in the input behind it
};

// One a worker, filled again and again. Everything it shows is valid until the next Fill() or until
// the input moves.
class RequestBatch {
 public:
  static constexpr size_t kMost = 64;

  RequestBatch() = default;
  RequestBatch(const RequestBatch&) = delete;
  RequestBatch& operator=(const RequestBatch&) = delete;

  // Takes at most `most` (<= kMost) requests from the front of `input`.
  void Fill(resp::RequestParser& parser, std::string_view input, size_t most,
            const CommandTable& commands);
  // What the parser said last: kRequest when there may be more.
  resp::RequestParser::Status status() const { return status_; }

  // Brings what those of one key will touch into the CPU's cache; those of many do so themselves.
  // All meaning lies in executing them in order. LookAhead() begins, and the more is done before
  // the other steps the better.
  void LookAhead(cache::Store& store);
  cache::Lookahead& ahead() { return ahead_; }

  std::span<const Request> requests() const { return {requests_.data(), taken_}; }
  std::span<const std::string_view> args(const Request& request) const {
    return {args_.data() + request.first_arg, request.args};
  }
  // All that its row names, in their order, hashed.
  std::span<const cache::Key> keys(const Request& request) const {
    return {keys_.data() + request.first_key, request.keys};
  }
  // Bytes of the input that are done with once all requests are executed.
  size_t consumed() const { return consumed_; }

 private:
  void Clear();
  resp::RequestParser::Status TakeAll(resp::RequestParser& parser, std::string_view input,
                                      size_t most, const CommandTable& commands);
  void TakePlain(const resp::RequestParser& parser, std::string_view input, size_t most,
                 const CommandTable& commands);
  // `args` of them stand behind what is taken.
  void Take(const Command* command, size_t args, size_t end);
  void TakeKeys(const Command& command, std::span<const std::string_view> args);
  // Makes room for `count` arguments, and their keys, and for all that plain requests may have
  // behind them: those need not ask.
  void MakeRoom(size_t count);

  // Of all three the first so many are in use: nothing is initialised again for each request.
  std::array<Request, kMost> requests_;
  size_t taken_ = 0;
  std::vector<std::string_view> args_;
  size_t taken_args_ = 0;
  std::vector<cache::Key> keys_;
  size_t taken_keys_ = 0;
  size_t consumed_ = 0;
  resp::RequestParser::Status status_{};
  cache::Lookahead ahead_;
  resp::RequestHead head_;            // of the last plain request,
  const Command* command_ = nullptr;  // ... which was this
};

}  // namespace cistern::server
