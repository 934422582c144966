#include "net/loop.h"

#include <uv.h>

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace cistern::net {
namespace {

// How often work of one turn end may add more before the poll gets its turn again.
constexpr int kTurnEndRounds = 64;
// How many turns close callbacks may take that close further handles.
constexpr int kCloseTurns = 64;
constexpr uint64_t kNanosPerMilli = 1'000'000;

// What fails here is memory or file descriptors while a process starts: nothing can go on.
void MustSucceed(int status, const char* what) {
  if (status == 0) return;
  std::fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
  std::abort();
}

template <class Handle>
uv_handle_t* Base(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

struct Loop::Handles {
  uv_loop_t loop;
  uv_async_t mail;      // wakes the poll: the mailbox is no longer empty
  uv_timer_t timer;     // the earliest of all timers
  uv_prepare_t before;  // turn end of what timers and close callbacks began, before the poll blocks
  uv_check_t after;     // turn end of what the poll's callbacks began
  bool closed = false;
};

Loop::Loop(int index, const cache::Clock& clock)
    : index_(index),
      clock_(clock),
      read_buffer_(new char[kReadBufferBytes]),
      handles_(std::make_unique<Handles>()) {
  Handles& h = *handles_;
  MustSucceed(uv_loop_init(&h.loop), "uv_loop_init");
  h.loop.data = this;
  MustSucceed(uv_async_init(&h.loop, &h.mail,
                            [](uv_async_t* a) { static_cast<Loop*>(a->loop->data)->OnMail(); }),
              "uv_async_init");
  MustSucceed(uv_timer_init(&h.loop, &h.timer), "uv_timer_init");
  MustSucceed(uv_prepare_init(&h.loop, &h.before), "uv_prepare_init");
  MustSucceed(uv_check_init(&h.loop, &h.after), "uv_check_init");
  MustSucceed(
      uv_prepare_start(&h.before,
                       [](uv_prepare_t* p) { static_cast<Loop*>(p->loop->data)->RunTurnEnd(); }),
      "uv_prepare_start");
  MustSucceed(uv_check_start(&h.after,
                             [](uv_check_t* c) {
                               Loop* loop = static_cast<Loop*>(c->loop->data);
                               loop->RunTurnEnd();
                               ++loop->turn_;
                             }),
              "uv_check_start");
  for (uv_handle_t* handle : {Base(&h.timer), Base(&h.before), Base(&h.after)})
    uv_unref(handle);
}

Loop::~Loop() {
  if (thread_.joinable()) {
    Stop();
    Join();
  }
  CloseHandles();
  FreeTasks();
  for (const std::string& handle : left_open_)
    std::fprintf(stderr, "net::Loop %d: handle left open: %s\n", index_, handle.c_str());
}

void Loop::Start() {
  thread_ = std::thread([this] { Run(); });
  // Until its thread owns it the loop would pass for one that does not run, and be used by two.
  started_.wait(false);
}

void Loop::Run() {
  owner_.store(std::this_thread::get_id());
  started_.store(true);
  started_.notify_all();
  uv_run(&handles_->loop, UV_RUN_DEFAULT);
  CloseHandles();
  FreeTasks();
  owner_.store(std::thread::id());
}

void Loop::Stop() {
  const std::lock_guard lock(mailbox_mutex_);
  if (stopped_) return;
  stop_wanted_ = true;
  MustSucceed(uv_async_send(&handles_->mail), "uv_async_send");
}

void Loop::Join() {
  if (thread_.joinable()) thread_.join();
}

void Loop::Post(Task task) {
  // The send stays under the lock: stopped_ and the closing of the handle are then no race.
  const std::lock_guard lock(mailbox_mutex_);
  if (stopped_) return;  // `task` is the caller's temporary: freed after the lock
  if (mailbox_.empty()) MustSucceed(uv_async_send(&handles_->mail), "uv_async_send");
  mailbox_.push_back(std::move(task));
}

void Loop::OnMail() {
  std::vector<Task> tasks;
  bool stop = false;
  {
    const std::lock_guard lock(mailbox_mutex_);
    tasks.swap(mailbox_);
    stop = stop_wanted_;
  }
  for (Task& task : tasks) {
    task();
    task = nullptr;  // captures are freed before the next task runs
  }
  if (stop) uv_stop(&handles_->loop);
}

void Loop::AtTurnEnd(Task task) {
  assert(OnOwnThread());
  turn_end_.push_back(std::move(task));
}

void Loop::RunTurnEnd() {
  for (int round = 0; !turn_end_.empty(); ++round) {
    if (round == kTurnEndRounds) {
      MustSucceed(uv_async_send(&handles_->mail), "uv_async_send");  // the poll must not block
      return;
    }
    turn_end_running_.swap(turn_end_);
    for (Task& task : turn_end_running_) {
      task();
      task = nullptr;
    }
    turn_end_running_.clear();
  }
}

Loop::TimerId Loop::After(Duration delay, Task task) {
  assert(OnOwnThread());
  const auto wait = static_cast<uint64_t>(std::max(delay, Duration::zero()).count());
  const TimerId id = ++last_timer_;
  timer_by_id_.emplace(id, timers_.emplace(uv_hrtime() + wait, Timer{id, std::move(task)}));
  ArmTimer();
  return id;
}

void Loop::Cancel(TimerId timer) {
  assert(OnOwnThread());
  const auto found = timer_by_id_.find(timer);
  if (found == timer_by_id_.end()) return;
  // The task's captures may cancel other timers as they go: free them when the maps are consistent.
  const auto node = timers_.extract(found->second);
  timer_by_id_.erase(found);
}

// Waking too early is harmless, so a cancelled timer never moves the uv timer.
void Loop::ArmTimer() {
  if (timers_.empty() || handles_->closed) return;
  const uint64_t due = timers_.begin()->first;
  if (armed_for_ != 0 && armed_for_ <= due) return;
  armed_for_ = due;
  uv_update_time(&handles_->loop);
  const uint64_t now_ms = uv_now(&handles_->loop);
  const uint64_t due_ms = (due + kNanosPerMilli - 1) / kNanosPerMilli;
  const uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
  MustSucceed(uv_timer_start(
                  &handles_->timer,
                  [](uv_timer_t* t) { static_cast<Loop*>(t->loop->data)->OnTimer(); }, wait_ms, 0),
              "uv_timer_start");
}

void Loop::OnTimer() {
  armed_for_ = 0;
  // One reading: a task that sets a timer of no delay again and again does not stay in here.
  const uint64_t now = uv_hrtime();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto node = timers_.extract(timers_.begin());
    timer_by_id_.erase(node.mapped().id);
    node.mapped().task();
  }
  ArmTimer();
}

uv_loop_s* Loop::raw() {
  return &handles_->loop;
}

std::span<char> Loop::filter_buffer() {
  if (filter_buffer_ == nullptr) filter_buffer_ = std::make_unique<char[]>(kReadBufferBytes);
  return {filter_buffer_.get(), kReadBufferBytes};
}

bool Loop::OnOwnThread() const {
  const std::thread::id owner = owner_.load();
  return owner == std::thread::id() || owner == std::this_thread::get_id();
}

// Close callbacks may close more handles, so the loop turns until only what somebody forgot is
// left.
void Loop::CloseHandles() {
  Handles& h = *handles_;
  if (h.closed) return;
  {
    const std::lock_guard lock(mailbox_mutex_);
    stopped_ = true;
  }
  h.closed = true;
  for (uv_handle_t* handle : {Base(&h.mail), Base(&h.timer), Base(&h.before), Base(&h.after)})
    uv_close(handle, nullptr);
  const auto open_count = [&h] {
    int count = 0;
    uv_walk(
        &h.loop, [](uv_handle_t*, void* n) { ++*static_cast<int*>(n); }, &count);
    return count;
  };
  for (int turn = 0; turn < kCloseTurns && open_count() > 0; ++turn)
    uv_run(&h.loop, UV_RUN_NOWAIT);
  if (open_count() == 0) uv_run(&h.loop, UV_RUN_DEFAULT);  // look-ups on libuv's threads
  uv_walk(
      &h.loop,
      [](uv_handle_t* handle, void* lines) {
        const char* type = uv_handle_type_name(uv_handle_get_type(handle));
        static_cast<std::vector<std::string>*>(lines)->push_back(
            std::string(type) + (uv_is_active(handle) != 0 ? ", active" : ", idle") +
            (uv_is_closing(handle) != 0 ? ", closing" : ""));
      },
      &left_open_);
  if (left_open_.empty()) MustSucceed(uv_loop_close(&h.loop), "uv_loop_close");
}

// The captures' destructors may post, set or cancel timers, or add turn-end work: until none is
// left.
void Loop::FreeTasks() {
  while (true) {
    std::vector<Task> tasks;
    {
      const std::lock_guard lock(mailbox_mutex_);
      tasks.swap(mailbox_);
    }
    const auto turn_end = std::exchange(turn_end_, {});
    timer_by_id_.clear();
    const auto timers = std::exchange(timers_, {});
    if (tasks.empty() && turn_end.empty() && timers.empty()) return;
  }
}

}  // namespace cistern::net
