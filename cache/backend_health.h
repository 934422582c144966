// BackendHealth: tells when a group's backend begins to fail, and when it answers again.
#pragma once

#include <atomic>
#include <functional>

#include "cache/clock.h"
#include "cache/error.h"

namespace cistern::cache {

// For the log: one failing key among good ones must not fill it, so a failure is told at most once
// in kQuiet, and a recovery only after a failure that was told.
class BackendHealth {
 public:
  // Called on any worker's thread: with the error, or with null when it answers again.
  using Listener = std::function<void(const Error*)>;
  static constexpr Duration kQuiet = std::chrono::seconds(10);

  explicit BackendHealth(Listener listener) : listener_(std::move(listener)) {}

  // The outcome of one load; null: it was answered. (thread-safe)
  void Note(const Error* error, Instant now) {
    const bool failed = error != nullptr && error->code == ErrorCode::kBackend;
    if (failed == is_failing_.load(std::memory_order_relaxed)) return;
    if (failed) {
      Instant quiet_until = quiet_until_.load();
      if (now < quiet_until) return;
      // Of several workers that fail at once one tells.
      if (!quiet_until_.compare_exchange_strong(quiet_until, now + kQuiet)) return;
    }
    if (is_failing_.exchange(failed) != failed && listener_) listener_(failed ? error : nullptr);
  }

 private:
  const Listener listener_;
  std::atomic<bool> is_failing_{false};
  std::atomic<Instant> quiet_until_{Instant::min()};
};

}  // namespace cistern::cache
