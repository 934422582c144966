// Keys, whatever they hold: DEL EXISTS TYPE UNLINK.
#include "server/command_table.h"
#include "server/key_reads.h"
#include "server/replies.h"

namespace cistern::server {
namespace {

using cache::Completion;
using cache::CompletionPtr;
using cache::Result;

void Exists(Call& call) {
  ReadMany(call, ReadValues::Keep::kPresence, [](Reply& reply, const ReadValues& values) {
    int64_t found = 0;
    for (size_t i = 0; i < values.size(); ++i)
      found += values.found(i) ? 1 : 0;
    reply.Integer(found);
  });
}

void WriteType(Reply& reply, const cache::Found& found) {
  reply.SimpleString(found.kind == cache::Found::Kind::kValue ? "string" : "none");
}

void WriteErased(Reply& reply, const Result<int64_t>& erased) {
  if (!erased) return WriteError(reply, erased.error());
  reply.Integer(*erased);
}

CompletionPtr<Result<int64_t>> PendForErased(Call& call) {
  PendingReplyPtr pending = call.Pend();
  auto done = Completion<Result<int64_t>>::Make(
      call.worker().loop(),
      [pending](const Result<int64_t>& erased) {
        WriteErased(pending->reply(), erased);
        pending->Finish();
      },
      TimeLeft(call), Late<int64_t>(call));
  pending->OnAbandon([done] { done->Cancel(); });
  return done;
}

void Delete(Call& call) {
  std::vector<std::string> keys;
  ForEachKey(call.command(), call.args().size(), [&](size_t i) {
    if (!IsLocalOnly(call, call.arg(i))) keys.emplace_back(call.arg(i));
  });
  cache::Cache& cache = call.worker().cache();
  net::Loop& loop = call.worker().loop();
  if (!cache.OwnsAll(keys)) return cache.Delete(loop, std::move(keys), PendForErased(call));
  cache::Recalls recalls;
  const Result<int64_t> erased = cache.InvalidateHere(loop, keys, &recalls);
  if (recalls.empty()) return WriteErased(call.reply(), erased);
  cache.Confirm(loop, std::move(recalls),
                [done = PendForErased(call), erased] { done->Done(erased); });
}

constexpr std::string_view kDeleteSummary =
    "Drops keys from every node's cache, not from the backend; counts the values that their "
    "owners held. Once it has answered no node returns an older value.";

constexpr Command kRows[] = {
    {.name = "del",
     .arity = -2,
     .flags = kFlagWrite,
     .first_key = 1,
     .last_key = -1,
     .step = 1,
     .access = Access::kWrite,
     .handler = Delete,
     .summary = kDeleteSummary,
     .since = "1.0.0",
     .group = "generic",
     .arguments = "key [key ...]"},
    {.name = "exists",
     .arity = -2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = -1,
     .step = 1,
     .access = Access::kRead,
     .handler = Exists,
     .summary = "How many of the keys exist, loaded like MGET; a key named twice counts twice.",
     .since = "1.0.0",
     .group = "generic",
     .arguments = "key [key ...]"},
    {.name = "type",
     .arity = 2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = ReadOne,
     .found = WriteType,
     .summary = "`string`, or `none` if the key does not exist; loaded like GET.",
     .since = "1.0.0",
     .group = "generic",
     .arguments = "key"},
    {.name = "unlink",
     .arity = -2,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = -1,
     .step = 1,
     .access = Access::kWrite,
     .handler = Delete,
     .summary = "The same as DEL.",
     .since = "4.0.0",
     .group = "generic",
     .arguments = "key [key ...]"},
};

}  // namespace

std::span<const Command> KeyspaceCommands() {
  return kRows;
}

}  // namespace cistern::server
