// What many commands write, and how long they may take.
#pragma once

#include <algorithm>
#include <functional>
#include <string>

#include "cache/error.h"
#include "cluster/command_runner.h"
#include "server/call.h"
#include "server/worker.h"

namespace cistern::server {

// "-BACKEND users: timeout after 500 ms"
inline void WriteError(Reply& reply, const cache::Error& error) {
  std::string text(cache::ReplyPrefix(error.code));
  text += ' ';
  text += error.text;
  reply.Error(text);
}

// What a command that ran at its key's owner replied.
void WriteOwnersReply(Reply& reply, const cache::Result<cluster::CommandReply>& result);

// A request's time; a write waits for the holders of leases on top of it.
inline cache::Duration TimeAllowed(Call& call) {
  const Config& config = call.worker().config();
  const bool writes = (call.command().flags & kFlagWrite) != 0;
  return config.server.request_timeout +
         (writes ? config.cluster.longest_lease : cache::Duration(0));
}

// What is left of it for a request that waited for another one of its keys; counted from its
// arrival.
inline cache::Duration TimeLeft(Call& call) {
  const cache::Duration waited =
      call.now() + call.worker().config().server.request_timeout - call.deadline();
  return std::max(TimeAllowed(call) - waited, cache::Duration(std::chrono::milliseconds(1)));
}

// What a Completion<Result<R>> answers when that time is over.
template <class R>
std::function<cache::Result<R>()> Late(Call& call) {
  return [limit = TimeAllowed(call),
          writes = (call.command().flags & kFlagWrite) != 0]() -> cache::Result<R> {
    return tl::unexpected(writes ? cache::errors::NotConfirmedIn(limit)
                                 : cache::errors::Timeout(limit));
  };
}

}  // namespace cistern::server
