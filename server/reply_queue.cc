#include "server/reply_queue.h"

#include <utility>

namespace cistern::server {

void ReplyQueue::Push(PendingReplyPtr reply) {
  places_.push_back({std::move(reply), Output(), false});
}

void ReplyQueue::MoveFinished(Output& to) {
  while (!places_.empty() && places_.front().pending->finished()) {
    Place& place = places_.front();
    reply_bytes_ -= place.pending->output_.bytes() + place.after.bytes();
    if (!place.is_silent) to.Append(place.pending->output_);
    to.Append(place.after);
    places_.pop_front();
  }
}

void ReplyQueue::Abandon() {
  // An action may do anything but come back here with a client: the queue is empty before.
  std::deque<Place> places = std::exchange(places_, {});
  reply_bytes_ = 0;
  for (const Place& place : places)
    place.pending->Abandon();
}

}  // namespace cistern::server
