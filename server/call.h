// Call: one request under execution, as its command's handler sees it.
#pragma once

#include <span>
#include <string_view>

#include "cache/key.h"
#include "server/client_state.h"
#include "server/command.h"
#include "server/output.h"
#include "server/pending_reply.h"

namespace cistern::server {

class ClientConnection;
class Worker;

// Valid during the handler only, as are the arguments. A handler writes exactly one reply to
// reply(), or calls Pend() once, and then nothing to reply() any more.
class Call {
 public:
  // args()[0] is the command's name as the client wrote it. Their number fits the row's arity.
  std::span<const std::string_view> args() const { return args_; }
  std::string_view arg(size_t i) const { return args_[i]; }
  const Command& command() const { return *command_; }
  // All that the row names, in their order, with their hashes.
  std::span<const cache::Key> keys() const { return keys_; }
  // The first. REQUIRES: the row has one.
  const cache::Key& key() const { return keys_.front(); }

  Reply& reply() { return reply_; }
  // The reply comes later: holds its place in the order of replies.
  PendingReplyPtr Pend();
  // The connection closes once this reply and all before it have left; requests behind it are
  // dropped.
  void CloseAfterReply();

  ClientState& client() { return client_; }
  const ClientConnection& connection() const { return connection_; }
  Worker& worker() { return worker_; }
  // Of a clock read after the request was.
  cache::Instant now() const { return now_; }
  // `now` and the request_timeout.
  cache::Instant deadline() const { return deadline_; }

 private:
  friend class ClientConnection;

  Call(ClientConnection& connection, ClientState& client, Worker& worker, const Reply& reply)
      : connection_(connection), client_(client), worker_(worker), reply_(reply) {}

  ClientConnection& connection_;
  ClientState& client_;
  Worker& worker_;
  Reply reply_;
  std::span<const std::string_view> args_;
  std::span<const cache::Key> keys_;
  const Command* command_ = nullptr;
  cache::Instant now_;
  cache::Instant deadline_;
  PendingReplyPtr place_;  // set: the request holds one already, for it had to wait
  bool is_pended_ = false;
};

}  // namespace cistern::server
