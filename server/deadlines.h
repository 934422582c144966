// Deadlines: what ends at a time of its own, all of one loop's, for the price of one timer.
#pragma once

#include "cache/clock.h"
#include "cache/executor.h"

namespace cistern::server {

// A list in the order of time: nearly all that is added comes last, since all requests have the
// same time. Used on its executor's thread; empty when it is destroyed.
class Deadlines {
 public:
  class Item {
   public:
    Item() = default;
    Item(const Item&) = delete;
    Item& operator=(const Item&) = delete;

   protected:
    ~Item() = default;

   private:
    friend class Deadlines;
    // Its time is over; it stands in the list no more. May destroy it.
    virtual void OnDeadline() = 0;

    Item* before_ = nullptr;  // null: in no list
    Item* after_ = nullptr;
    cache::Instant at_;
  };

  // `executor` outlives it.
  explicit Deadlines(cache::Executor& executor);
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines();

  // REQUIRES: it is in no list.
  void Add(Item& item, cache::Instant at);
  // Harmless if it is in none.
  void Remove(Item& item);

 private:
  // Both ends of the ring.
  struct End final : Item {
    void OnDeadline() override {}
  };

  void Arm();
  void OnTimer();

  cache::Executor& executor_;
  End end_;
  cache::Executor::TimerId timer_ = 0;
  cache::Instant armed_for_;  // while there is a timer; it may wake for nothing
};

}  // namespace cistern::server
