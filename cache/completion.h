// Completion<R>: somebody who waits for an R, on a home executor, until a deadline, and is told
// once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "cache/executor.h"

namespace cistern::cache {

// Shared by the one who waits and the one who works. However they race, the handler runs at most
// once, on the home executor, and never inside the call that made, completed or cancelled it.
//
// Done() and the deadline may race, on different threads:
//   1. worker B calls Done(value): pending -> done, and posts the delivery home;
//   2. home's deadline timer fires before the delivery runs: it finds "done" and does nothing;
//   3. the delivery runs: done -> finished, cancels the timer, calls the handler.
// Cancel() at home between 1 and 3 sets "finished"; the delivery finds that and does nothing.
template <class R>
class Completion : public std::enable_shared_from_this<Completion<R>> {
 public:
  using Handler = std::function<void(R)>;

  // Home thread only, where there is a deadline; else any.
  static std::shared_ptr<Completion> Make(Executor& home, Handler handler) {
    return std::shared_ptr<Completion>(new Completion(home, std::move(handler)));
  }
  // At `deadline` (from now: `left`) the handler gets `late()` instead. Home thread only.
  static std::shared_ptr<Completion> Make(Executor& home, Handler handler, Duration left,
                                          std::function<R()> late) {
    auto completion = Make(home, std::move(handler));
    completion->timer_ =
        home.After(left, [weak = std::weak_ptr(completion), late = std::move(late)] {
          if (auto self = weak.lock(); self && self->Claim()) self->Deliver(late());
        });
    return completion;
  }

  // The first call counts, later ones are ignored. (thread-safe)
  void Done(R result) {
    if (!Claim()) return;
    home_.Post([self = this->shared_from_this(), r = std::move(result)]() mutable {
      self->Deliver(std::move(r));
    });
  }

  // Nobody waits any more: the handler will not run, and is freed. Home thread only.
  void Cancel() {
    state_.store(State::kFinished, std::memory_order_release);
    home_.Cancel(timer_);
    handler_ = nullptr;
  }

  // Whether an answer still finds somebody. (thread-safe; may be out of date at once)
  bool pending() const { return state_.load(std::memory_order_acquire) == State::kPending; }
  Executor& home() const { return home_; }

 private:
  enum class State : uint8_t { kPending, kDone, kFinished };

  Completion(Executor& home, Handler handler) : home_(home), handler_(std::move(handler)) {}

  bool Claim() {
    State expected = State::kPending;
    return state_.compare_exchange_strong(expected, State::kDone, std::memory_order_acq_rel);
  }

  void Deliver(R result) {
    State expected = State::kDone;
    if (!state_.compare_exchange_strong(expected, State::kFinished)) return;
    home_.Cancel(timer_);
    Handler handler = std::exchange(handler_, nullptr);
    handler(std::move(result));
  }

  Executor& home_;
  Handler handler_;
  Executor::TimerId timer_ = 0;
  std::atomic<State> state_{State::kPending};
};

template <class R>
using CompletionPtr = std::shared_ptr<Completion<R>>;

}  // namespace cistern::cache
