// Sweep: one pass over everything that the store holds, in slices that stall nobody.
#pragma once

#include <functional>
#include <memory>

#include "cache/context.h"

namespace cistern::cache {

// Shard after shard, some buckets at a time under its lock, and no longer than about 200 µs until
// others run again. Runs on one executor's thread and keeps itself alive until done.
class Sweep : public std::enable_shared_from_this<Sweep> {
 public:
  struct Visits {
    // Once a shard, before its entries.
    std::function<void(Shard&)> shard;
    // Each entry, at least once; may erase it, and changes no other. What is put meanwhile may be
    // visited or not.
    std::function<void(EntryTable&, Entry*)> entry;
    // At the end, outside all locks.
    std::function<void()> done;
  };

  // `executor`'s thread. `context` outlives the executor's tasks.
  static void Start(Context& context, Executor& executor, Visits visits);

 private:
  Sweep(Context& context, Executor& executor, Visits visits)
      : context_(context), executor_(executor), visits_(std::move(visits)) {}

  void Slice();
  // Whether the shard is done.
  bool SweepSome(Shard& shard);

  Context& context_;
  Executor& executor_;
  const Visits visits_;
  size_t shard_ = 0;
  uint64_t cursor_ = 0;
  bool begun_ = false;  // the shard has been come to
};

}  // namespace cistern::cache
