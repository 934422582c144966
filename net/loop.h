// Loop: one libuv loop, the real Executor. Runs on its own thread (Start) or on the caller's (Run).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cache/clock.h"
#include "cache/executor.h"

struct uv_loop_s;  // NOLINT(readability-identifier-naming): libuv's

namespace cistern::net {

// Made and destroyed by one thread; in between, methods marked (thread-safe) may be called from any
// thread, all others only from the thread that runs the loop (asserted in debug builds), or from
// any one thread while the loop does not run yet.
//
// Shutdown: owners of handles (streams, listeners) close them in tasks posted before Stop(); close
// callbacks still run after it. Tasks, timers and turn-end work that never ran are freed on the
// loop's thread before Run() returns (or by the destructor when it never ran); a task posted later
// is freed at once, on the thread that posted it.
class Loop final : public cache::Executor {
 public:
  using Duration = cache::Duration;

  // `index` as in Executor; `clock` outlives the loop.
  explicit Loop(int index, const cache::Clock& clock = cache::SystemClock());
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  // Stops and joins when that has not happened. Handles left open are a bug: they are printed.
  ~Loop() override;

  // Runs the loop on a thread of its own, once.
  void Start();
  // Runs the loop on the calling thread until Stop(), once.
  void Run();
  // The loop ends after the tasks that were posted before. Idempotent. (thread-safe)
  void Stop();
  // Waits for the end of the thread that Start() made. Idempotent.
  void Join();

  int index() const override { return index_; }
  const cache::Clock& clock() const override { return clock_; }
  void Post(Task task) override;

  void AtTurnEnd(Task task) override;
  TimerId After(Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  // For adapters of other libraries only. Its handles must be closed before Stop(), as ours.
  uv_loop_s* raw();
  // Counts the polls: two reads with the same number belong to one turn.
  uint64_t turn() const { return turn_; }
  // The one buffer of 64 KiB that streams read into. What lies in it is gone at the next read of
  // any stream of this loop.
  std::span<char> read_buffer() { return {read_buffer_.get(), kReadBufferBytes}; }
  // A second one, for bytes on their way into the first. Made when it is first asked for.
  std::span<char> filter_buffer();
  // True on the thread that runs the loop, and on any while it does not run. (thread-safe)
  bool OnOwnThread() const;
  // Handles that others left open, one line each; known once Run() has returned.
  const std::vector<std::string>& left_open() const { return left_open_; }

  static constexpr size_t kReadBufferBytes = size_t{64} << 10;

 private:
  struct Handles;  // the libuv side
  struct Timer {
    TimerId id;
    Task task;
  };
  using Timers = std::multimap<uint64_t, Timer>;  // by due time, ns of uv_hrtime

  void OnMail();
  void OnTimer();
  void RunTurnEnd();
  void ArmTimer();
  void CloseHandles();
  void FreeTasks();

  const int index_;
  const cache::Clock& clock_;
  std::unique_ptr<char[]> read_buffer_;
  std::unique_ptr<char[]> filter_buffer_;
  std::unique_ptr<Handles> handles_;
  std::thread thread_;
  std::atomic<std::thread::id> owner_;
  std::atomic<bool> started_{false};
  uint64_t turn_ = 0;
  std::vector<std::string> left_open_;

  std::mutex mailbox_mutex_;  // guards the next three
  std::vector<Task> mailbox_;
  bool stop_wanted_ = false;
  bool stopped_ = false;  // from here on tasks are dropped, and the async handle is not touched

  std::vector<Task> turn_end_;
  std::vector<Task> turn_end_running_;  // keeps its memory from turn to turn
  Timers timers_;
  std::unordered_map<TimerId, Timers::iterator> timer_by_id_;
  TimerId last_timer_ = 0;
  uint64_t armed_for_ = 0;  // due time that the uv timer waits for; 0: not armed
};

}  // namespace cistern::net
