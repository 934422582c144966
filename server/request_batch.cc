#include "server/request_batch.h"

#include <algorithm>

namespace cistern::server {
namespace {

// A request of a million arguments does not keep its memory for ever.
constexpr size_t kKeptArgs = size_t{64} * 1024;

}  // namespace

void RequestBatch::Fill(resp::RequestParser& parser, std::string_view input, size_t most,
                        const CommandTable& commands) {
  Clear();
  status_ = TakeAll(parser, input, most, commands);
}

resp::RequestParser::Status RequestBatch::TakeAll(resp::RequestParser& parser,
                                                  std::string_view input, size_t most,
                                                  const CommandTable& commands) {
  using Status = resp::RequestParser::Status;
  while (true) {
    TakePlain(parser, input, most, commands);
    if (taken_ == most) return Status::kRequest;
    if (taken_ > 0 && consumed_ == input.size()) return Status::kIncomplete;
    const Status status = parser.Parse(input.substr(consumed_));
    consumed_ += parser.consumed();
    if (status != Status::kRequest) return status;
    const auto args = parser.args();
    MakeRoom(args.size());
    std::copy(args.begin(), args.end(), args_.data() + taken_args_);
    Take(commands.FindCommand(args[0]), args.size(), consumed_);
    if (parser.args_are_own()) return status;  // they would not survive the next Parse()
  }
}

void RequestBatch::Clear() {
  taken_ = 0;
  if (args_.capacity() > kKeptArgs) std::vector<std::string_view>().swap(args_);
  taken_args_ = 0;
  if (keys_.capacity() > kKeptArgs) std::vector<cache::Key>().swap(keys_);
  taken_keys_ = 0;
  consumed_ = 0;
  MakeRoom(0);
}

void RequestBatch::TakePlain(const resp::RequestParser& parser, std::string_view input, size_t most,
                             const CommandTable& commands) {
  resp::PlainRequests plain = parser.Plain(input.substr(consumed_), head_);
  while (taken_ < most) {
    std::string_view* args = args_.data() + taken_args_;
    const size_t count = plain.Next(args);
    if (count == 0) break;
    if (!plain.repeats()) command_ = commands.FindCommand(args[0]);
    Take(command_, count, consumed_ + plain.consumed());
  }
  consumed_ += plain.consumed();
}

void RequestBatch::Take(const Command* command, size_t args, size_t end) {
  Request& request = requests_[taken_++];
  request.command = command;
  request.fits = command != nullptr && FitsArity(*command, args);
  request.first_arg = static_cast<uint32_t>(taken_args_);
  request.args = static_cast<uint32_t>(args);
  request.first_key = static_cast<uint32_t>(taken_keys_);
  request.end = end;
  if (request.fits) TakeKeys(*command, {args_.data() + taken_args_, args});
  request.keys = static_cast<uint32_t>(taken_keys_) - request.first_key;
  taken_args_ += args;
}

void RequestBatch::TakeKeys(const Command& command, std::span<const std::string_view> args) {
  cache::Key* next = keys_.data() + taken_keys_;
  ForEachKey(command, args.size(), [&](size_t i) { *next++ = cache::Key::Of(args[i]); });
  taken_keys_ = static_cast<size_t>(next - keys_.data());
}

void RequestBatch::MakeRoom(size_t count) {
  const size_t more = count + kMost * resp::PlainRequests::kMostArgs;
  if (taken_args_ + more > args_.size())
    args_.resize(std::max(taken_args_ + more, 2 * args_.size()));
  if (taken_keys_ + more > keys_.size())
    keys_.resize(std::max(taken_keys_ + more, 2 * keys_.size()));
}

void RequestBatch::LookAhead(cache::Store& store) {
  const bool has_lists = taken_keys_ > taken_;
  ahead_.ToBuckets(store, {keys_.data(), has_lists ? 0 : taken_keys_});
}

}  // namespace cistern::server
