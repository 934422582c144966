// Where work runs: one Executor a worker thread. net::Loop is the real one, tests have a manual
// one.
#pragma once

#include <cstdint>
#include <functional>

#include "cache/clock.h"

namespace cistern::cache {

class Executor {
 public:
  using Task = std::function<void()>;
  using TimerId = uint64_t;  // 0 is never a timer

  virtual ~Executor() = default;

  // Dense from 0: indexes what is kept once a worker (statistics, links, connections).
  // (thread-safe)
  virtual int index() const = 0;
  virtual const Clock& clock() const = 0;  // (thread-safe)

  // Runs `task` on this executor's thread, later, never inside this call; tasks posted by one
  // thread run in their order. After the executor has stopped, tasks are dropped. (thread-safe)
  virtual void Post(Task task) = 0;

  // The rest is for the executor's own thread.

  // Runs `task` once everything that this turn of the loop read has been handled: where batches and
  // frames leave. A task added by such a task runs in the same turn end.
  virtual void AtTurnEnd(Task task) = 0;
  // Runs `task` once `delay` has passed. A timer only wakes: whoever judges reads the clock afresh.
  virtual TimerId After(Duration delay, Task task) = 0;
  // The timer's task will not run. Unknown or finished timers (and 0) are ignored.
  virtual void Cancel(TimerId timer) = 0;
};

}  // namespace cistern::cache
