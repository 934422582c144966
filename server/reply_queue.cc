#include "server/reply_queue.h"

#include <utility>

namespace cistern::server {

void ReplyQueue::Push(PendingReplyPtr reply) {
  places_.push_back({std::move(reply), Output()});
}

void ReplyQueue::MoveFinished(Output& to) {
  const size_t before = to.bytes();
  while (!places_.empty() && places_.front().pending->finished()) {
    to.Append(places_.front().pending->output_);
    to.Append(places_.front().after);
    places_.pop_front();
  }
  reply_bytes_ -= to.bytes() - before;
}

void ReplyQueue::Abandon() {
  // An action may do anything but come back here with a client: the queue is empty before.
  std::deque<Place> places = std::exchange(places_, {});
  reply_bytes_ = 0;
  for (const Place& place : places)
    place.pending->Abandon();
}

}  // namespace cistern::server
