// Commands that run where their key is owned: here, or at another node.
#pragma once

#include <span>
#include <string>

#include "cache/cache.h"
#include "cluster/command_runner.h"
#include "server/call.h"

namespace cistern::server {

// A command at its key's owner, as the row's `at_owner` sees it. The arguments fit the row's arity.
// What it returns may be told once the recalls are confirmed.
struct OwnerCall {
  cache::Cache& cache;
  cache::Executor& executor;
  const Command& command;
  std::span<const std::string_view> args;  // args[0] is the name in any letter case
  cache::Recalls* recalls;

  cache::Key key() const { return cache::Key::Of(args[1]); }
  // Of a value that is stored without a word about its life: what the group of the key says.
  cache::Instant EndOfNewValue() const;
  cache::Result<bool> Update(cache::Touches touches, const cache::Decide& decide) {
    return cache.UpdateHere(executor, key(), touches, decide, recalls);
  }
};

// A whole error reply that the owner's code found.
inline cluster::CommandReply Refusal(std::string text) {
  return {cluster::CommandReply::Error{std::move(text)}};
}

// Handlers of rows with `at_owner`. The whole request goes to the owner of its key ...
void RunAtOwner(Call& call);
// ... and if that answers null and the group has a backend, the key is loaded as GET does it and
// the request sent once more: what it answers then is at least what the load brought.
void RunAtOwnerOrLoad(Call& call);
// ... or the keys, each with the argument behind it, go to their owners, one request to each. OK
// when all have confirmed. REQUIRES: the row's step is 2.
void RunAtOwners(Call& call);

}  // namespace cistern::server
