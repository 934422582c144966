#include "server/owner_call.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/error_texts.h"
#include "server/key_reads.h"
#include "server/life.h"
#include "server/node.h"
#include "server/replies.h"

namespace cistern::server {
namespace {

using cache::Completion;
using cache::CompletionPtr;
using cache::Result;
using cluster::CommandReply;
using Done = CompletionPtr<Result<CommandReply>>;

// What needs no owner to be refused or answered.
bool AnswersHere(Call& call) {
  bool is_local_only = false;
  ForEachKey(call.command(), call.args().size(),
             [&](size_t i) { is_local_only |= IsLocalOnly(call, call.arg(i)); });
  if (!is_local_only) return false;
  if (call.command().access == Access::kWrite) {
    call.reply().Error(error_texts::kLocalOnlyWrite);
  } else {
    call.reply().Integer(kTtlOfAbsentKey);
  }
  return true;
}

Done PendFor(Call& call) {
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

// To `owner`, wherever that is.
void RunAt(Worker& worker, const cache::Pick& owner, std::vector<std::string> args, Done done) {
  Node& node = worker.node();
  if (owner.is_self) {
    node.owner_commands().Run(worker.loop(), std::move(args), std::move(done));
  } else {
    node.cluster().RunAtOwner(worker.loop(), owner.node, std::move(args), std::move(done));
  }
}

// The steps of RunAtOwnerOrLoad. Owned by their completions; all on one thread.
class RunOrLoad : public std::enable_shared_from_this<RunOrLoad> {
 public:
  RunOrLoad(Call& call, Done done)
      : worker_(call.worker()),
        args_(call.args().begin(), call.args().end()),
        deadline_(call.deadline()),
        done_(std::move(done)) {}

  void Start() {
    Run([self = shared_from_this()](Result<CommandReply> reply) {
      if (!self->done_->pending()) return;
      if (reply && IsNull(*reply)) return self->Load();
      self->done_->Done(std::move(reply));
    });
  }

 private:
  static bool IsNull(const CommandReply& reply) {
    return std::holds_alternative<CommandReply::Null>(reply.value);
  }

  void Run(std::function<void(Result<CommandReply>)> then) {
    RunAt(worker_, worker_.node().cluster().Owner(args_[1]), args_,
          Completion<Result<CommandReply>>::Make(worker_.loop(), std::move(then)));
  }

  void Load() {
    const cache::Duration limit = worker_.config().server.request_timeout;
    const cache::Duration left = deadline_ - worker_.loop().clock().Now();
    auto loaded = Completion<Result<cache::Answer>>::Make(
        worker_.loop(),
        [self = shared_from_this()](const Result<cache::Answer>& answer) {
          self->OnLoaded(answer);
        },
        std::max(left, cache::Duration(std::chrono::milliseconds(1))),
        [limit]() -> Result<cache::Answer> {
          return tl::unexpected(cache::errors::Timeout(limit));
        });
    worker_.cache().Get(worker_.loop(), cache::Key::Of(args_[1]), deadline_, std::move(loaded));
  }

  void OnLoaded(const Result<cache::Answer>& answer) {
    if (!done_->pending()) return;
    if (!answer) return done_->Done(tl::unexpected(answer.error()));
    const cache::BlobPtr loaded = answer->Blob();
    if (loaded == nullptr) return done_->Done(CommandReply{CommandReply::Null{}});
    // The value need not be kept, or not any more: then the reply is what a GET got.
    Run([self = shared_from_this(), value = loaded](Result<CommandReply> reply) {
      if (reply && IsNull(*reply)) reply = CommandReply{value};
      self->done_->Done(std::move(reply));
    });
  }

  Worker& worker_;
  const std::vector<std::string> args_;
  const cache::Instant deadline_;
  const Done done_;
};

// What is left of a request that went to several owners.
struct Parts {
  size_t left = 0;
  Result<CommandReply> reply;
  Done done;

  void OnPart(Result<CommandReply> part) {
    const bool is_bad = !part || std::holds_alternative<CommandReply::Error>(part->value);
    const bool was_bad = !reply || std::holds_alternative<CommandReply::Error>(reply->value);
    if (is_bad && !was_bad) reply = std::move(part);
    if (--left == 0) done->Done(std::move(reply));
  }
};

// Every node has the same groups: what an owner would refuse need not be tried, and nothing else of
// the request then has been.
std::optional<cache::Error> RefusedByAGroup(Call& call) {
  std::optional<cache::Error> error;
  ForEachKey(call.command(), call.args().size(), [&](size_t i) {
    if (error) return;
    const cache::Group* group = call.worker().cache().GroupOf(call.arg(i));
    if (group == nullptr) {
      error = cache::errors::NoGroup(call.arg(i));
    } else if (group->config().writes == cache::Writes::kReject) {
      error = cache::errors::NoWrite(group->name());
    }
  });
  return error;
}

bool IsOwnerOfAll(Call& call) {
  bool owns_all = true;
  ForEachKey(call.command(), call.args().size(), [&](size_t i) {
    owns_all = owns_all && call.worker().node().cluster().Owner(call.arg(i)).is_self;
  });
  return owns_all;
}

using Part = std::pair<cache::Pick, std::vector<std::string>>;

std::vector<Part> SplitByOwner(Call& call) {
  std::vector<Part> parts;
  ForEachKey(call.command(), call.args().size(), [&](size_t i) {
    const cache::Pick owner = call.worker().node().cluster().Owner(call.arg(i));
    auto at = std::find_if(parts.begin(), parts.end(),
                           [&](const Part& part) { return part.first.node == owner.node; });
    if (at == parts.end()) at = parts.insert(at, {owner, {std::string(call.arg(0))}});
    at->second.emplace_back(call.arg(i));
    at->second.emplace_back(call.arg(i + 1));
  });
  return parts;
}

void RunHere(Call& call) {
  net::Loop& loop = call.worker().loop();
  cache::Recalls recalls;
  auto reply = call.worker().node().owner_commands().Run(loop, call.args(), &recalls);
  if (recalls.empty()) return WriteOwnersReply(call.reply(), reply);
  call.worker().cache().Confirm(loop, std::move(recalls),
                                [done = PendFor(call), reply] { done->Done(reply); });
}

}  // namespace

cache::Instant OwnerCall::EndOfNewValue() const {
  const cache::Group* group = cache.GroupOf(args[1]);
  const cache::Duration ttl = group == nullptr ? cache::Duration(0) : group->config().ttl;
  return ttl > cache::Duration(0) ? executor.clock().Now() + ttl : cache::kNever;
}

void RunAtOwner(Call& call) {
  if (AnswersHere(call)) return;
  const cache::Pick owner = call.worker().node().cluster().Owner(call.key().bytes);
  if (owner.is_self) return RunHere(call);
  std::vector<std::string> args(call.args().begin(), call.args().end());
  RunAt(call.worker(), owner, std::move(args), PendFor(call));
}

void RunAtOwnerOrLoad(Call& call) {
  const cache::Group* group = call.worker().cache().GroupOf(call.key().bytes);
  if (group == nullptr || !group->config().has_backend) return RunAtOwner(call);
  if (AnswersHere(call)) return;
  std::make_shared<RunOrLoad>(call, PendFor(call))->Start();
}

void RunAtOwners(Call& call) {
  if (call.args().size() % 2 == 0) {
    return call.reply().Error(error_texts::WrongArity(call.command().name));
  }
  if (AnswersHere(call)) return;
  if (const auto error = RefusedByAGroup(call)) return WriteError(call.reply(), *error);
  if (IsOwnerOfAll(call)) return RunHere(call);
  std::vector<Part> parts = SplitByOwner(call);
  auto whole = std::make_shared<Parts>();
  whole->left = parts.size();
  whole->reply = CommandReply{CommandReply::Status{"OK"}};
  whole->done = PendFor(call);
  for (auto& [owner, args] : parts) {
    auto part = Completion<Result<CommandReply>>::Make(
        call.worker().loop(),
        [whole](Result<CommandReply> reply) { whole->OnPart(std::move(reply)); });
    RunAt(call.worker(), owner, std::move(args), std::move(part));
  }
}

}  // namespace cistern::server
