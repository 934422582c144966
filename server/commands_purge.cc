// Dropping more than keys, on every node: FLUSHALL FLUSHDB CISTERN PURGE.
#include "server/arguments.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/replies.h"

namespace cistern::server {
namespace {

using cache::Completion;
using cache::PurgeScope;
using cache::Result;

void Purge(Call& call, PurgeScope scope) {
  PendingReplyPtr pending = call.Pend();
  auto done = Completion<Result<bool>>::Make(
      call.worker().loop(),
      [pending](const Result<bool>& result) {
        if (result) {
          pending->reply().SimpleString("OK");
        } else {
          WriteError(pending->reply(), result.error());
        }
        pending->Finish();
      },
      TimeLeft(call), Late<bool>(call));
  pending->OnAbandon([done] { done->Cancel(); });
  call.worker().cache().Purge(call.worker().loop(), std::move(scope), std::move(done));
}

// Redis may answer before it has freed the memory; here ASYNC and SYNC are the same: the answer
// comes when nothing older is returned any more, and memory follows.
void Flush(Call& call) {
  const auto args = call.args();
  const std::string how = args.size() == 2 ? LowerCase(args[1]) : "sync";
  if (args.size() > 2 || (how != "sync" && how != "async")) {
    return call.reply().Error(error_texts::kSyntax);
  }
  Purge(call, {PurgeScope::Kind::kAll, {}});
}

void PurgeScoped(Call& call) {
  const std::string what = LowerCase(call.arg(2));
  std::string name(call.arg(3));
  if (what == "group") return Purge(call, {PurgeScope::Kind::kGroup, std::move(name)});
  if (what == "prefix") return Purge(call, {PurgeScope::Kind::kPrefix, std::move(name)});
  call.reply().Error(error_texts::kSyntax);
}

constexpr std::string_view kFlushSummary =
    "Drops everything from every node's cache, not from the backends; answers when no node returns "
    "an older value, or with an error that names a node which did not confirm.";

constexpr Command kRows[] = {
    {.name = "cistern",
     .arity = -2,
     .access = Access::kBarrier,
     .handler = RunSubcommand,
     .summary = "Commands that only cistern has.",
     .since = "0.1.0",
     .group = "server",
     .arguments = "subcommand"},
    {.name = "cistern|purge",
     .arity = 4,
     .flags = kFlagWrite,
     .access = Access::kBarrier,
     .handler = PurgeScoped,
     .summary = "Drops a group, at once, or all keys that begin with a prefix, bit by bit, from "
                "every node's cache; answers when that is done everywhere.",
     .since = "0.1.0",
     .group = "server",
     .arguments = "GROUP name | PREFIX prefix"},
    {.name = "flushall",
     .arity = -1,
     .flags = kFlagWrite,
     .access = Access::kBarrier,
     .handler = Flush,
     .summary = kFlushSummary,
     .since = "1.0.0",
     .group = "server",
     .arguments = "[ASYNC | SYNC]"},
    {.name = "flushdb",
     .arity = -1,
     .flags = kFlagWrite,
     .access = Access::kBarrier,
     .handler = Flush,
     .summary = "The same as FLUSHALL: there is one database.",
     .since = "1.0.0",
     .group = "server",
     .arguments = "[ASYNC | SYNC]"},
};

}  // namespace

std::span<const Command> PurgeCommands() {
  return kRows;
}

}  // namespace cistern::server
