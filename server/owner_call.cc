#include "server/owner_call.h"

#include "server/error_texts.h"
#include "server/key_reads.h"
#include "server/node.h"
#include "server/replies.h"

namespace cistern::server {
namespace {

using cache::Completion;
using cache::CompletionPtr;
using cache::Result;
using cluster::CommandReply;

// What needs no owner to be refused or answered.
bool AnswersHere(Call& call) {
  if (RefuseLongKeys(call)) return true;
  if (!IsLocalOnly(call, call.key().bytes)) return false;
  if (call.command().access == Access::kWrite) {
    call.reply().Error(error_texts::kLocalOnlyWrite);
  } else {
    call.reply().Integer(kTtlOfAbsentKey);
  }
  return true;
}

CompletionPtr<Result<CommandReply>> PendFor(Call& call) {
  PendingReplyPtr pending = call.Pend();
  auto done = Completion<Result<CommandReply>>::Make(
      call.worker().loop(),
      [pending](const Result<CommandReply>& result) {
        WriteOwnersReply(pending->reply(), result);
        pending->Finish();
      },
      TimeLeft(call), Late<CommandReply>(call));
  pending->OnAbandon([done] { done->Cancel(); });
  return done;
}

}  // namespace

void RunAtOwner(Call& call) {
  if (AnswersHere(call)) return;
  net::Loop& loop = call.worker().loop();
  Node& node = call.worker().node();
  std::vector<std::string> args(call.args().begin(), call.args().end());
  const cache::Pick owner = node.cluster().Owner(call.key().bytes);
  if (!owner.is_self) {
    return node.cluster().RunAtOwner(loop, owner.node, std::move(args), PendFor(call));
  }
  cache::Recalls recalls;
  auto reply = node.owner_commands().Run(loop, std::move(args), &recalls);
  if (recalls.empty()) return WriteOwnersReply(call.reply(), reply);
  call.worker().cache().Confirm(loop, std::move(recalls),
                                [done = PendFor(call), reply] { done->Done(reply); });
}

}  // namespace cistern::server
