// PurgePath: purges, here and over the whole cluster.
#pragma once

#include "cache/context.h"
#include "cache/purge.h"

namespace cistern::cache {

class PurgePath {
 public:
  explicit PurgePath(Context& context) : context_(context) {}

  // Runs both rounds on every node; both again if a node was started or the table of owners changed
  // between them. Completes when what was there when this was called is gone everywhere; or with
  // an error that names who did not confirm: then nothing is promised. `executor`'s thread.
  void Run(Executor& executor, PurgeScope scope, CompletionPtr<Result<bool>> done);

  // One round on this node. All and a group take constant work: a watermark. A prefix is swept in
  // slices, between which others run. `executor`'s thread.
  void RunHere(Executor& executor, const PurgeScope& scope, PurgeRound round,
               CompletionPtr<Result<bool>> done);

 private:
  class Flow;

  void PurgePrefix(Executor& executor, const std::string& prefix, CompletionPtr<Result<bool>> done);

  Context& context_;
};

}  // namespace cistern::cache
