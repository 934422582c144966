#include "cache/sweep.h"

#include <utility>

namespace cistern::cache {
namespace {

// Of one shard under its lock, and of all before others run again.
constexpr size_t kBuckets = 48;
constexpr Duration kSlice = std::chrono::microseconds(200);

}  // namespace

void Sweep::Start(Context& context, Executor& executor, Visits visits) {
  std::shared_ptr<Sweep>(new Sweep(context, executor, std::move(visits)))->Slice();
}

void Sweep::Slice() {
  const Instant start = context_.clock.Now();
  do {
    if (shard_ == context_.store.shards()) return visits_.done();
    if (SweepSome(context_.store.shard(shard_))) {
      ++shard_;
      begun_ = false;
    }
  } while (context_.clock.Now() - start < kSlice);
  executor_.Post([self = shared_from_this()] { self->Slice(); });
}

bool Sweep::SweepSome(Shard& shard) {
  std::lock_guard lock(shard.mutex);
  if (!std::exchange(begun_, true)) visits_.shard(shard);
  return shard.entries.VisitSome(&cursor_, kBuckets,
                                 [&](Entry* entry) { visits_.entry(shard.entries, entry); });
}

}  // namespace cistern::cache
