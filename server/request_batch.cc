#include "server/request_batch.h"

namespace cistern::server {
namespace {

// More keys than this would push the first ones out of the CPU's cache again; commands of many keys
// prefetch by themselves.
constexpr size_t kMostKeys = 2 * RequestBatch::kMost;
// A request of a million arguments does not keep its memory for ever.
constexpr size_t kKeptArgs = size_t{64} * 1024;

}  // namespace

resp::RequestParser::Status RequestBatch::Fill(resp::RequestParser& parser, std::string_view input,
                                               size_t most, const CommandTable& commands) {
  using Status = resp::RequestParser::Status;
  requests_.clear();
  if (args_.capacity() > kKeptArgs) std::vector<std::string_view>().swap(args_);
  args_.clear();
  keys_.clear();
  consumed_ = 0;
  last_name_ = {};
  Status status = Status::kRequest;
  while (requests_.size() < most && status == Status::kRequest) {
    status = parser.Parse(input.substr(consumed_));
    consumed_ += parser.consumed();
    if (status != Status::kRequest) break;
    Take(parser.args(), commands);
    if (parser.args_are_own()) break;  // they would not survive the next Parse()
  }
  return status;
}

void RequestBatch::Take(std::span<const std::string_view> args, const CommandTable& commands) {
  const Command* command = CommandNamed(args[0], commands);
  Request request{.command = command,
                  .fits = command != nullptr && FitsArity(*command, args.size()),
                  .first = static_cast<uint32_t>(args_.size()),
                  .count = static_cast<uint32_t>(args.size()),
                  .end = consumed_,
                  .key = {}};
  if (request.fits && (command->flags & kFlagLookup) != 0) {
    ForEachKey(*command, args.size(), [&](size_t i) {
      if (keys_.size() >= kMostKeys && request.key.bytes.data() != nullptr) return;
      const cache::Key key = cache::Key::Of(args[i]);
      if (request.key.bytes.data() == nullptr) request.key = key;
      keys_.push_back(key);
    });
  }
  for (const std::string_view arg : args)
    args_.push_back(arg);
  requests_.push_back(request);
}

// Pipelines say the same again and again.
const Command* RequestBatch::CommandNamed(std::string_view name, const CommandTable& commands) {
  if (name != last_name_ || last_name_.empty()) {
    last_name_ = name;
    last_command_ = commands.FindCommand(name);
  }
  return last_command_;
}

void RequestBatch::Prefetch(cache::Store& store) {
  if (keys_.size() > 1) store.Prefetch(keys_);
}

}  // namespace cistern::server
