// PendingReply: the place of a reply that comes later, in its connection's order of replies.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/clock.h"
#include "server/key_order.h"
#include "server/output.h"

namespace cistern::server {

// A request that waits for another one of its keys: its arguments, copied.
struct WaitingRequest {
  const Command* command;
  std::string bytes;
  std::vector<std::string_view> args;  // into `bytes`

  cache::Instant deadline;

  WaitingRequest(const Command& row, std::span<const std::string_view> from, cache::Instant until);
  WaitingRequest(const WaitingRequest&) = delete;
  WaitingRequest& operator=(const WaitingRequest&) = delete;
  size_t memory() const { return bytes.capacity() + args.capacity() * sizeof(std::string_view); }
};

// Shared by the connection and whoever works on the request; made by Call::Pend(). Used on the
// worker's thread only. Everything is harmless after the client is gone: what is written then is
// thrown away.
//
//   auto pending = call.Pend();
//   auto done = Completion::Make(call.worker().loop(), [pending](Result<Answer> answer) {
//     WriteAnswer(pending->reply(), answer);
//     pending->Finish();
//   }, ...);
//   pending->OnAbandon([done] { done->Cancel(); });
class PendingReply : public std::enable_shared_from_this<PendingReply>, private KeyOrder::Ticket {
 public:
  // Who keeps the order of replies.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnFinished(PendingReply& reply) = 0;
  };

  PendingReply(Owner& owner, resp::Protocol protocol) : owner_(&owner), reply_(output_, protocol) {}
  PendingReply(const PendingReply&) = delete;
  PendingReply& operator=(const PendingReply&) = delete;

  // Where the reply is written, in the protocol that was in force when the request came. Before
  // Finish().
  Reply& reply() { return reply_; }

  // The reply is whole; it leaves when those before it have, at the end of this turn at the
  // earliest. Once; later calls are ignored. May be called inside the handler too.
  void Finish();
  bool finished() const { return finished_; }

  // `action` runs once if the client goes before Finish(): cancel what works for it. Runs at once
  // if the client is gone already. Dropped by Finish(). A later action replaces the earlier one.
  void OnAbandon(std::function<void()> action);
  void ForgetAbandon() { on_abandon_ = nullptr; }
  bool abandoned() const { return owner_ == nullptr; }

 private:
  friend class ClientConnection;
  friend class ReplyQueue;

  void Abandon();

  Owner* owner_;  // null: the client is gone
  Output output_;
  Reply reply_;
  std::function<void()> on_abandon_;
  std::unique_ptr<WaitingRequest> waiting_;  // until it runs
  bool finished_ = false;
};

using PendingReplyPtr = std::shared_ptr<PendingReply>;

}  // namespace cistern::server
