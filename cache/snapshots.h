// Snapshots: a value that others read while it is replaced whole.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace cistern::cache {

// For what changes as seldom as a person asks for it: every value there ever was is kept, so that
// readers need neither lock nor count.
template <class T>
class Snapshots {
 public:
  explicit Snapshots(T first) { Publish(std::make_unique<const T>(std::move(first))); }
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Valid as long as this. (thread-safe)
  const T& now() const { return *now_.load(std::memory_order_acquire); }
  // By one thread at a time.
  void Publish(std::unique_ptr<const T> next) {
    all_.push_back(std::move(next));
    now_.store(all_.back().get(), std::memory_order_release);
  }

 private:
  std::vector<std::unique_ptr<const T>> all_;
  std::atomic<const T*> now_{nullptr};
};

}  // namespace cistern::cache
