// ReplyQueue: replies of one connection leave in the order of its requests, however they finish.
#pragma once

#include <cstddef>
#include <deque>

#include "server/pending_reply.h"

namespace cistern::server {

// Holds something only while a reply is pending: the pending ones in order, and behind each what
// was answered at once after it. Belongs to the connection.
class ReplyQueue {
 public:
  ReplyQueue() = default;
  ReplyQueue(const ReplyQueue&) = delete;
  ReplyQueue& operator=(const ReplyQueue&) = delete;

  // While empty, replies go straight to the client.
  bool empty() const { return places_.empty(); }
  size_t places() const { return places_.size(); }
  // `reply`'s place is behind all that is known.
  void Push(PendingReplyPtr reply);
  // The client wants no reply there: what is behind it only waits. REQUIRES: not empty.
  void SilenceLast() { places_.back().is_silent = true; }
  // Where an immediate reply is written now; call TailGrew() then. Stays in its place until the
  // queue is moved. REQUIRES: not empty.
  Output& tail() { return places_.back().after; }
  void TailGrew(size_t bytes) { reply_bytes_ += bytes; }
  // A reply of the queue is whole.
  void Finished(const PendingReply& reply) { reply_bytes_ += reply.output_.bytes(); }

  // Moves everything up to the first reply that is not finished behind what `to` holds.
  void MoveFinished(Output& to);
  // The client is gone: tells all that are pending, in order, and forgets them.
  void Abandon();

  // Of finished replies that have to wait; pinned values included.
  size_t reply_bytes() const { return reply_bytes_; }
  // About what the queue costs beside them.
  size_t overhead_bytes() const { return places_.size() * kPlaceBytes; }

 private:
  // A place, its pending reply, and about what a flight's waiter costs.
  static constexpr size_t kPlaceBytes = 512;

  struct Place {
    PendingReplyPtr pending;
    Output after;
    bool is_silent = false;
  };

  std::deque<Place> places_;
  size_t reply_bytes_ = 0;
};

}  // namespace cistern::server
