#include "cache/purge_path.h"

#include <memory>

#include "cache/mutant.h"

namespace cistern::cache {
namespace {

// A purge that finds the cluster changed begins again so often.
constexpr int kAttempts = 5;
// Of one shard under its lock, and of all before others run again.
constexpr size_t kSweepBuckets = 64;
constexpr Duration kSweepSlice = std::chrono::microseconds(200);

}  // namespace

// Both rounds on every node. Runs on one executor's thread and keeps itself alive until done.
class PurgePath::Flow : public std::enable_shared_from_this<Flow> {
 public:
  Flow(PurgePath& path, Executor& executor, PurgeScope scope, CompletionPtr<Result<bool>> done)
      : path_(path), executor_(executor), scope_(std::move(scope)), done_(std::move(done)) {}

  void Start(PurgeRound round) {
    round_ = round;
    left_ = 2;
    path_.RunHere(executor_, scope_, round,
                  Completion<Result<bool>>::Make(
                      executor_, [self = shared_from_this()](const Result<bool>& result) {
                        if (!result) self->failure_ = result.error();
                        self->OnPart();
                      }));
    path_.context_.picker.Purge(executor_, scope_, round,
                                Completion<Result<uint64_t>>::Make(
                                    executor_, [self = shared_from_this()](Result<uint64_t> who) {
                                      if (!who) self->failure_ = who.error();
                                      self->who_ = who.value_or(0);
                                      self->OnPart();
                                    }));
  }

 private:
  void OnPart() {
    if (--left_ > 0) return;
    if (failure_) return done_->Done(tl::unexpected(*failure_));
    if (round_ == PurgeRound::kMain && !IsMutant(Mutant::kOneRoundFlush)) {
      who_in_main_ = who_;
      return Start(PurgeRound::kCopies);
    }
    if (who_ == who_in_main_ || IsMutant(Mutant::kOneRoundFlush)) return done_->Done(true);
    if (++attempts_ == kAttempts) return done_->Done(tl::unexpected(errors::MembersChange()));
    Start(PurgeRound::kMain);
  }

  PurgePath& path_;
  Executor& executor_;
  const PurgeScope scope_;
  const CompletionPtr<Result<bool>> done_;
  PurgeRound round_ = PurgeRound::kMain;
  int left_ = 0;
  int attempts_ = 0;
  uint64_t who_ = 0;  // the other nodes that have run the last round
  uint64_t who_in_main_ = 0;
  std::optional<Error> failure_;
};

// Erases what begins with a prefix, shard after shard. Flights are detached when their shard is
// come to: whatever is stored later was loaded later.
class PurgePath::Sweep : public std::enable_shared_from_this<Sweep> {
 public:
  Sweep(Context& context, Executor& executor, std::string prefix, CompletionPtr<Result<bool>> done)
      : context_(context),
        executor_(executor),
        prefix_(std::move(prefix)),
        done_(std::move(done)) {}

  void Slice() {
    const Instant start = context_.clock.Now();
    do {
      if (shard_ == context_.store.shards()) return done_->Done(true);
      if (SweepSome(context_.store.shard(shard_))) {
        ++shard_;
        cursor_ = buckets_ = 0;
      }
    } while (context_.clock.Now() - start < kSweepSlice);
    executor_.Post([self = shared_from_this()] { self->Slice(); });
  }

 private:
  // Whether the shard is done.
  bool SweepSome(Shard& shard) {
    const auto matches = [&](std::string_view key) { return key.starts_with(prefix_); };
    std::lock_guard lock(shard.mutex);
    if (buckets_ == 0) shard.DetachIf(matches);
    // Growing moves entries, perhaps to before the cursor.
    if (buckets_ != shard.entries.buckets()) cursor_ = 0;
    buckets_ = shard.entries.buckets();
    return shard.entries.EraseSome(&cursor_, kSweepBuckets,
                                   [&](const Entry& entry) { return matches(entry.key()); });
  }

  Context& context_;
  Executor& executor_;
  const std::string prefix_;
  const CompletionPtr<Result<bool>> done_;
  size_t shard_ = 0;
  size_t cursor_ = 0;
  size_t buckets_ = 0;  // of the shard, when the cursor was set; 0: not come to yet
};

void PurgePath::Run(Executor& executor, PurgeScope scope, CompletionPtr<Result<bool>> done) {
  std::make_shared<Flow>(*this, executor, std::move(scope), std::move(done))
      ->Start(PurgeRound::kMain);
}

void PurgePath::RunHere(Executor& executor, const PurgeScope& scope, PurgeRound round,
                        CompletionPtr<Result<bool>> done) {
  if (scope.kind == PurgeScope::Kind::kPrefix) {
    return std::make_shared<Sweep>(context_, executor, scope.name, std::move(done))->Slice();
  }
  Watermarks& marks = context_.store.marks();
  bool found = false;
  for (const auto& group : context_.groups) {
    if (scope.kind == PurgeScope::Kind::kGroup && group->name() != scope.name) continue;
    found = true;
    if (round == PurgeRound::kMain) marks.RaiseGroup(group->index());
  }
  if (!found) return done->Done(tl::unexpected(errors::NoSuchGroup(scope.name)));
  if (round == PurgeRound::kCopies) marks.RaiseCopies();
  done->Done(true);
}

}  // namespace cistern::cache
