#include "cache/purge_path.h"

#include <memory>

#include "cache/mutant.h"
#include "cache/sweep.h"

namespace cistern::cache {
namespace {

// A purge that finds the cluster changed begins again so often.
constexpr int kAttempts = 5;

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

void PurgePath::Run(Executor& executor, PurgeScope scope, CompletionPtr<Result<bool>> done) {
  std::make_shared<Flow>(*this, executor, std::move(scope), std::move(done))
      ->Start(PurgeRound::kMain);
}

void PurgePath::RunHere(Executor& executor, const PurgeScope& scope, PurgeRound round,
                        CompletionPtr<Result<bool>> done) {
  if (scope.kind == PurgeScope::Kind::kPrefix) {
    return PurgePrefix(executor, scope.name, std::move(done));
  }
  // First: what is loaded under the new marks finds it.
  if (round == PurgeRound::kMain) context_.store.HoldOffAll(context_.clock.Now());
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

// Flights are detached when their shard is come to: whatever is stored later was loaded later.
void PurgePath::PurgePrefix(Executor& executor, const std::string& prefix,
                            CompletionPtr<Result<bool>> done) {
  const auto matches = [prefix](std::string_view key) { return key.starts_with(prefix); };
  Sweep::Start(context_, executor,
               {.shard =
                    [this, matches](Shard& shard) {
                      shard.DetachIf(matches);
                      shard.hold_off.NoteAll(context_.clock.Now());
                    },
                .entry =
                    [matches](EntryTable& entries, Entry* entry) {
                      if (matches(entry->key())) entries.Erase(entry);
                    },
                .done = [done] { done->Done(true); }});
}

}  // namespace cistern::cache
