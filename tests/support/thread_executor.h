// An executor with a thread of its own and nothing else: for races, not for speed.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "cache/executor.h"

namespace cistern::test {

class ThreadExecutor final : public cache::Executor {
 public:
  explicit ThreadExecutor(int index) : index_(index), thread_([this] { Run(); }) {}
  ~ThreadExecutor() override { Stop(); }

  // Runs what was posted so far, then ends the thread. Timers that have not fired are dropped.
  void Stop() {
    Post([this] { stopping_ = true; });
    if (thread_.joinable()) thread_.join();
  }

  int index() const override { return index_; }
  const cache::Clock& clock() const override { return cache::SystemClock(); }
  void Post(Task task) override {
    {
      std::lock_guard lock(mutex_);
      posted_.push_back(std::move(task));
    }
    wake_.notify_one();
  }
  void AtTurnEnd(Task task) override { turn_end_.push_back(std::move(task)); }
  TimerId After(cache::Duration delay, Task task) override {
    timers_.emplace(std::pair(clock().Now() + delay, ++last_timer_), std::move(task));
    return last_timer_;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }

 private:
  void Run() {
    while (!stopping_) {
      for (Task& task : Wait())
        task();
      while (!timers_.empty() && timers_.begin()->first.first <= clock().Now()) {
        Task task = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        task();
      }
      for (auto tasks = std::exchange(turn_end_, {}); !tasks.empty();
           tasks = std::exchange(turn_end_, {})) {
        for (Task& task : tasks)
          task();
      }
    }
  }
  std::vector<Task> Wait() {
    std::unique_lock lock(mutex_);
    if (timers_.empty()) {
      wake_.wait(lock, [this] { return !posted_.empty(); });
    } else {
      const auto left = timers_.begin()->first.first - clock().Now();
      wake_.wait_for(lock, left, [this] { return !posted_.empty(); });
    }
    return std::exchange(posted_, {});
  }

  const int index_;
  bool stopping_ = false;
  std::mutex mutex_;  // guards posted_
  std::condition_variable wake_;
  std::vector<Task> posted_;
  std::vector<Task> turn_end_;
  std::map<std::pair<cache::Instant, TimerId>, Task> timers_;
  TimerId last_timer_ = 0;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace cistern::test
