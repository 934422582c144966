// Parts of values: APPEND GETRANGE SETRANGE SUBSTR.
#include "server/arguments.h"
#include "server/bits.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/key_reads.h"
#include "server/value_edit.h"

namespace cistern::server {
namespace {

using cache::Result;
using cluster::CommandReply;

CommandReply Size(size_t size) {
  return {static_cast<int64_t>(size)};
}

// Also nothing that is appended to an absent key makes it.
Result<CommandReply> AppendHere(OwnerCall& call) {
  return EditHere(call, [tail = call.args[2]](std::optional<std::string_view> present) {
    const std::string_view old = present.value_or("");
    const size_t size = old.size() + tail.size();
    const auto append = [at = old.size(), tail](char* to) {
      std::copy(tail.begin(), tail.end(), to + at);
    };
    return Edit::Resize(old, size, append, Size(size));
  });
}

Result<CommandReply> SetRangeHere(OwnerCall& call) {
  const auto offset = ParseInteger(call.args[2]);
  if (!offset) return Refusal(std::string(error_texts::kNotAnInteger));
  if (*offset < 0) return Refusal(std::string(error_texts::kOffsetOutOfRange));
  const std::string_view part = call.args[3];
  const auto at = static_cast<size_t>(*offset);
  return EditHere(call, [part, at](std::optional<std::string_view> present) {
    const std::string_view old = present.value_or("");
    if (part.empty()) return Edit::None(Size(old.size()));
    const size_t size = std::max(old.size(), at + part.size());
    const auto write = [part, at](char* to) { std::copy(part.begin(), part.end(), to + at); };
    return Edit::Resize(old, size, write, Size(size));
  });
}

void GetRange(Call& call) {
  const auto first = ParseInteger(call.arg(2));
  const auto last = ParseInteger(call.arg(3));
  if (!first || !last) return call.reply().Error(error_texts::kNotAnInteger);
  ReadOne(call, [first = *first, last = *last](Reply& reply, const cache::Found& found) {
    const Range range = OrderedRangeWithin(first, last, static_cast<int64_t>(found.value.size()));
    if (range.empty()) return reply.Bulk(std::string_view());
    reply.Bulk(found.value.substr(static_cast<size_t>(range.first),
                                  static_cast<size_t>(range.last - range.first) + 1));
  });
}

constexpr Command kRows[] = {
    {.name = "append",
     .arity = 3,
     .flags = kFlagWrite | kFlagDenyOom | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = AppendHere,
     .summary = "Appends to the value that the owner holds, an absent key counting as empty; "
                "answers the length. The value keeps its life.",
     .since = "2.0.0",
     .group = "string",
     .arguments = "key value"},
    {.name = "getrange",
     .arity = 4,
     .flags = kFlagReadonly,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = GetRange,
     .summary = "A part of a key's value, loaded like GET; negative offsets count from its end.",
     .since = "2.4.0",
     .group = "string",
     .arguments = "key start end"},
    {.name = "setrange",
     .arity = 4,
     .flags = kFlagWrite | kFlagDenyOom,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = SetRangeHere,
     .summary =
         "Overwrites a part of the value that the owner holds, with zeros before it where it "
         "was shorter; answers the length. The value keeps its life.",
     .since = "2.2.0",
     .group = "string",
     .arguments = "key offset value"},
    {.name = "substr",
     .arity = 4,
     .flags = kFlagReadonly,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = GetRange,
     .summary = "The same as GETRANGE.",
     .since = "1.0.0",
     .group = "string",
     .arguments = "key start end"},
};

}  // namespace

std::span<const Command> SubstringCommands() {
  return kRows;
}

}  // namespace cistern::server
