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
// once, on the home executor, and never inside the call that made or cancelled it, nor, but for
// DoneNow(), inside the one that completed it.
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

  virtual ~Completion() = default;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  // Home thread only, where there is a deadline; else any.
  static std::shared_ptr<Completion> Make(Executor& home, Handler handler);
  // At `deadline` (from now: `left`) the handler gets `late()` instead. Home thread only.
  static std::shared_ptr<Completion> Make(Executor& home, Handler handler, Duration left,
                                          std::function<R()> late);

  // The first call counts, later ones are ignored. (thread-safe)
  void Done(R result) {
    if (!Claim()) return;
    home_.Post([self = this->shared_from_this(), r = std::move(result)]() mutable {
      self->Deliver(std::move(r));
    });
  }

  // The same, and the handler runs inside this call: so `result` may refer to what does not live
  // longer. Home thread only, in an event of its own: not in a call of whoever waits.
  void DoneNow(R result) {
    if (Claim()) Deliver(std::move(result));
  }

  // Nobody waits any more: the handler will not run, and is freed. Home thread only.
  void Cancel() {
    state_.store(State::kFinished, std::memory_order_release);
    Drop();
  }

  // Whether an answer still finds somebody. (thread-safe; may be out of date at once)
  bool pending() const { return state_.load(std::memory_order_acquire) == State::kPending; }
  Executor& home() const { return home_; }

 protected:
  explicit Completion(Executor& home) : home_(home) {}

  // Once, at home: the result.
  virtual void Run(R result) = 0;
  // At home: there will be none. May be called again.
  virtual void Drop() = 0;

 private:
  enum class State : uint8_t { kPending, kDone, kFinished };

  bool Claim() {
    State expected = State::kPending;
    return state_.compare_exchange_strong(expected, State::kDone, std::memory_order_acq_rel);
  }

  void Deliver(R result) {
    State expected = State::kDone;
    if (state_.compare_exchange_strong(expected, State::kFinished)) Run(std::move(result));
  }

  Executor& home_;
  std::atomic<State> state_{State::kPending};
};

// One whose handler and deadline are functions.
template <class R>
class HandledCompletion final : public Completion<R> {
 public:
  using Handler = typename Completion<R>::Handler;

  HandledCompletion(Executor& home, Handler handler)
      : Completion<R>(home), handler_(std::move(handler)) {}

  // Once, after it was made.
  void SetDeadline(Duration left, std::function<R()> late) {
    std::weak_ptr<Completion<R>> weak = this->weak_from_this();
    timer_ = this->home().After(left, [weak = std::move(weak), late = std::move(late)] {
      if (auto self = weak.lock()) self->DoneNow(late());
    });
  }

 private:
  void Run(R result) override {
    this->home().Cancel(timer_);
    Handler handler = std::exchange(handler_, nullptr);
    handler(std::move(result));
  }
  void Drop() override {
    this->home().Cancel(timer_);
    handler_ = nullptr;
  }

  Handler handler_;
  Executor::TimerId timer_ = 0;
};

template <class R>
std::shared_ptr<Completion<R>> Completion<R>::Make(Executor& home, Handler handler) {
  return std::make_shared<HandledCompletion<R>>(home, std::move(handler));
}

template <class R>
std::shared_ptr<Completion<R>> Completion<R>::Make(Executor& home, Handler handler, Duration left,
                                                   std::function<R()> late) {
  auto completion = std::make_shared<HandledCompletion<R>>(home, std::move(handler));
  completion->SetDeadline(left, std::move(late));
  return completion;
}

template <class R>
using CompletionPtr = std::shared_ptr<Completion<R>>;

}  // namespace cistern::cache
