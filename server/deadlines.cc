#include "server/deadlines.h"

#include <utility>

namespace cistern::server {

Deadlines::Deadlines(cache::Executor& executor) : executor_(executor) {
  end_.before_ = end_.after_ = &end_;
}

Deadlines::~Deadlines() {
  if (timer_ != 0) executor_.Cancel(timer_);
}

void Deadlines::Add(Item& item, cache::Instant at) {
  Item* before = end_.before_;
  // What has waited behind a write is older than most, and belongs near the front: from both ends.
  for (Item* front = &end_; before != &end_ && before->at_ > at; before = before->before_) {
    if (front->after_->at_ >= at) {
      before = front;
      break;
    }
    front = front->after_;
  }
  item.at_ = at;
  item.before_ = before;
  item.after_ = before->after_;
  item.before_->after_ = item.after_->before_ = &item;
  if (before == &end_) Arm();
}

void Deadlines::Remove(Item& item) {
  if (item.before_ == nullptr) return;
  item.before_->after_ = item.after_;
  item.after_->before_ = item.before_;
  item.before_ = item.after_ = nullptr;
}

// Waking for what has been removed costs less than setting the timer anew with every removal.
void Deadlines::Arm() {
  const cache::Instant first = end_.after_->at_;
  if (timer_ != 0 && armed_for_ <= first) return;
  if (timer_ != 0) executor_.Cancel(timer_);
  armed_for_ = first;
  timer_ = executor_.After(first - executor_.clock().Now(), [this] { OnTimer(); });
}

void Deadlines::OnTimer() {
  timer_ = 0;
  const cache::Instant now = executor_.clock().Now();
  while (end_.after_ != &end_ && end_.after_->at_ <= now) {
    Item& item = *end_.after_;
    Remove(item);
    item.OnDeadline();
  }
  if (end_.after_ != &end_) Arm();
}

}  // namespace cistern::server
