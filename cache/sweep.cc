#include "cache/sweep.h"

#include <utility>

namespace cistern::cache {
namespace {

// Of one shard under its lock, and of all before others run again.
constexpr size_t kBuckets = 64;
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
      cursor_ = buckets_ = 0;
    }
  } while (context_.clock.Now() - start < kSlice);
  executor_.Post([self = shared_from_this()] { self->Slice(); });
}

bool Sweep::SweepSome(Shard& shard) {
  std::lock_guard lock(shard.mutex);
  if (buckets_ == 0) visits_.shard(shard);
  // Growing moves entries, perhaps to before the cursor.
  if (buckets_ != shard.entries.buckets()) cursor_ = 0;
  buckets_ = shard.entries.buckets();
  return shard.entries.VisitSome(&cursor_, kBuckets,
                                 [&](Entry* entry) { visits_.entry(shard.entries, entry); });
}

}  // namespace cistern::cache
