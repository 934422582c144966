#include "loader/deadlines.h"

namespace cistern::loader {

struct Deadlines::State : std::enable_shared_from_this<State> {
  State(cache::Executor& on, std::string name, cache::Duration time)
      : executor(on), group(std::move(name)), limit(time) {}

  // What was answered meanwhile leaves from the front.
  void Prune() {
    while (!queue.empty() && !queue.front().done->pending())
      queue.pop_front();
  }

  void Arm() {
    if (armed || queue.empty()) return;
    armed = true;
    executor.After(queue.front().due - executor.clock().Now(), [weak = weak_from_this()] {
      if (const auto state = weak.lock()) state->OnTimer();
    });
  }

  void OnTimer() {
    armed = false;
    const cache::Instant now = executor.clock().Now();
    bool some_expired = false;
    Prune();
    for (; !queue.empty() && queue.front().due <= now; Prune()) {
      some_expired = true;
      queue.front().done->Done(Failed(cache::errors::BackendTimeout(group, limit)));
    }
    Arm();
    if (some_expired && told) told();
  }

  cache::Executor& executor;
  const std::string group;
  const cache::Duration limit;
  std::deque<Waiting> queue;  // ordered by `due`
  bool armed = false;
  std::function<void()> told;
};

Deadlines::Deadlines(cache::Executor& executor, std::string group, cache::Duration limit)
    : state_(std::make_shared<State>(executor, std::move(group), limit)) {}

void Deadlines::Add(LoadDone done) {
  state_->Prune();
  state_->queue.push_back({state_->executor.clock().Now() + state_->limit, std::move(done)});
  state_->Arm();
}

void Deadlines::OnExpired(std::function<void()> told) {
  state_->told = std::move(told);
}

void Deadlines::Stop() {
  state_->queue.clear();
  state_->told = nullptr;
}

size_t Deadlines::size() const {
  return state_->queue.size();
}

}  // namespace cistern::loader
