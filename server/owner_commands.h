// OwnerCommands: runs commands where their key is owned, for clients of this node and of others.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "cluster/command_runner.h"

namespace cistern::server {

class OwnerCommands final : public cluster::CommandRunner {
 public:
  using Done = cache::CompletionPtr<cache::Result<cluster::CommandReply>>;

  // `cache` outlives it.
  explicit OwnerCommands(cache::Cache& cache) : cache_(cache) {}

  // `args`: the command's name, in any letter case, and its arguments; it may be from a peer, so
  // all is checked here. kNotOwner where the key is another node's: then nothing has run. The reply
  // may be told only if `recalls` stays empty, else when Cache::Confirm() says so. `executor`'s
  // thread.
  cache::Result<cluster::CommandReply> Run(cache::Executor& executor,
                                           std::span<const std::string_view> args,
                                           cache::Recalls* recalls);
  // The same, told when it may be.
  void Run(cache::Executor& executor, std::vector<std::string> args, Done done) override;

 private:
  cache::Cache& cache_;
};

}  // namespace cistern::server
