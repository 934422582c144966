// Deadlines: answers the loads of one executor that their backend did not answer in time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "loader/job.h"

namespace cistern::loader {

// All loads of a backend have the same time, so they run out in the order they came in: one queue
// and one timer serve any number of them. Used on its executor's thread; may be destroyed on any
// (nobody is told any more).
class Deadlines {
 public:
  // A load that is open `limit` after Add() is answered with "<group>: timeout after <limit>".
  Deadlines(cache::Executor& executor, std::string group, cache::Duration limit);
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  void Add(LoadDone done);
  // Called after loads have run out of time.
  void OnExpired(std::function<void()> told);
  // Forgets every load and whom to tell. For good.
  void Stop();
  size_t size() const;

 private:
  struct Waiting {
    cache::Instant due;
    LoadDone done;
  };
  struct State;
  std::shared_ptr<State> state_;  // shared with nobody for longer than a timer's task runs
};

}  // namespace cistern::loader
