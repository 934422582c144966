// A clock and an executor that move only when the test says so.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "cache/executor.h"

namespace cistern::test {

class ManualClock final : public cache::Clock {
 public:
  cache::Instant Now() const override { return now_; }
  cache::WallTime WallNow() const override {
    return cache::WallTime(
        std::chrono::duration_cast<cache::WallTime::duration>(now_.time_since_epoch()));
  }
  void Advance(cache::Duration by) { now_ += by; }

 private:
  cache::Instant now_{std::chrono::hours(1)};
};

// Turns run when the test calls RunTurn() or RunAll(), on the test's thread. Timers fire by the
// clock.
class ManualExecutor final : public cache::Executor {
 public:
  explicit ManualExecutor(ManualClock& clock, int index = 0) : index_(index), clock_(clock) {}

  int index() const override { return index_; }
  const cache::Clock& clock() const override { return clock_; }
  void Post(Task task) override {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  void AtTurnEnd(Task task) override { turn_end_.push_back(std::move(task)); }
  TimerId After(cache::Duration delay, Task task) override {
    timers_.emplace(std::pair(clock_.Now() + delay, ++last_timer_), std::move(task));
    return last_timer_;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }

  // One turn: due timers, what was posted before it began, then its end. False if there was
  // nothing.
  bool RunTurn() {
    bool ran = false;
    while (!timers_.empty() && timers_.begin()->first.first <= clock_.Now()) {
      Task task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
      ran = true;
    }
    std::deque<Task> now;
    {
      std::lock_guard lock(mutex_);
      now.swap(posted_);
    }
    for (Task& task : now) {
      task();
      ran = true;
    }
    while (!turn_end_.empty()) {
      Task task = std::move(turn_end_.front());
      turn_end_.pop_front();
      task();
      ran = true;
    }
    return ran;
  }
  void RunAll() {
    while (RunTurn()) {
    }
  }
  size_t timers() const { return timers_.size(); }

 private:
  const int index_;
  ManualClock& clock_;
  std::mutex mutex_;
  std::deque<Task> posted_;
  std::deque<Task> turn_end_;
  std::map<std::pair<cache::Instant, TimerId>, Task> timers_;
  TimerId last_timer_ = 0;
};

}  // namespace cistern::test
