#include "cache/recall.h"

#include <algorithm>

#include "cache/mutant.h"

namespace cistern::cache {

void Recall::Start(Context& context, Executor& executor, Recalled recalled,
                   std::function<void()> done) {
  if (IsMutant(Mutant::kNoNotice)) return done();
  std::shared_ptr<Recall> recall(
      new Recall(context, executor, std::move(recalled), std::move(done)));
  recall->Send();
  recall->AwaitEnds();
}

Recall::Recall(Context& context, Executor& executor, Recalled recalled, std::function<void()> done)
    : context_(context),
      executor_(executor),
      key_(std::move(recalled.key)),
      sequence_(recalled.sequence),
      left_(std::move(recalled.holders)),
      done_(std::move(done)) {}

void Recall::Send() {
  for (const Holder& holder : left_) {
    if (holder.node == kForgottenHolder) continue;
    auto acknowledged =
        Completion<bool>::Make(executor_, [self = shared_from_this(), holder](bool yes) {
          if (yes) self->OnAcknowledged(holder);
        });
    context_.picker.Notify(holder.node, holder.incarnation, {key_, sequence_},
                           std::move(acknowledged));
  }
}

void Recall::OnAcknowledged(const Holder& holder) {
  Shard& shard = context_.store.ShardOf(HashKey(key_));
  {
    std::lock_guard lock(shard.mutex);
    shard.holders.Acknowledge(key_, holder.node, holder.incarnation, sequence_);
  }
  std::erase_if(left_, [&](const Holder& other) {
    return other.node == holder.node && other.incarnation == holder.incarnation;
  });
  if (!left_.empty() || !done_) return;
  executor_.Cancel(timer_);
  std::exchange(done_, nullptr)();
}

void Recall::AwaitEnds() {
  const Holder& last = *std::max_element(
      left_.begin(), left_.end(), [](const Holder& a, const Holder& b) { return a.ends < b.ends; });
  const Duration wait = std::max(last.ends - context_.clock.Now(), Duration(0));
  timer_ = executor_.After(wait, [self = shared_from_this()] { self->DropEnded(); });
}

void Recall::DropEnded() {
  if (!done_) return;
  const Instant now = context_.clock.Now();
  std::erase_if(left_, [&](const Holder& holder) { return holder.ends <= now; });
  if (!left_.empty()) return AwaitEnds();
  std::exchange(done_, nullptr)();
}

}  // namespace cistern::cache
