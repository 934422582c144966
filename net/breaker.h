// Breaker: whether to try what has failed: while it is likely to fail again nothing waits for it,
// and one try at a time finds out whether it is well.
#pragma once

#include "net/backoff.h"

namespace cistern::net {

// Closed: try. Open, after a try that failed: not before a wait is over, which grows with each
// failure. Half-open: one try is under way, its outcome decides. Not thread-safe.
class Breaker {
 public:
  explicit Breaker(Backoff backoff) : backoff_(std::move(backoff)) {}

  bool MayTry(cache::Instant now) const {
    return state_ == State::kClosed || (state_ == State::kOpen && now >= next_try_);
  }
  // REQUIRES: MayTry(). Ends with one of the calls below.
  void Begin() {
    if (state_ == State::kOpen) state_ = State::kHalfOpen;
  }

  void Succeeded() {
    state_ = State::kClosed;
    backoff_.Reset();
  }
  void Failed(cache::Instant now) {
    if (state_ == State::kClosed) down_since_ = now;
    state_ = State::kOpen;
    next_try_ = now + backoff_.Next();
  }
  // Over, but it says nothing: the next may begin at once.
  void GivenUp() {
    if (state_ == State::kHalfOpen) state_ = State::kOpen;
  }

  // Open or half-open.
  bool is_down() const { return state_ != State::kClosed; }
  // REQUIRES: is_down(). When the first of the tries failed that have failed since.
  cache::Instant down_since() const { return down_since_; }

 private:
  enum class State : uint8_t { kClosed, kOpen, kHalfOpen };

  State state_ = State::kClosed;
  cache::Instant down_since_;
  cache::Instant next_try_;
  Backoff backoff_;
};

}  // namespace cistern::net
