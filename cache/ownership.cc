#include "cache/ownership.h"

#include <algorithm>
#include <utility>

#include "cache/sweep.h"

namespace cistern::cache {

void Ownership::Change(Executor& sweeper, OwnerChange change) {
  context_.owners_change.store(true);
  // Former owners of what is gained may have granted leases and invalidated keys that this node
  // knows nothing of.
  if (change.gains) {
    const Instant now = context_.clock.Now();
    context_.store.grace().Extend(LeaseEnd(now, change.longest_lease));
    context_.store.HoldOffAll(now);
  }
  change.publish();
  context_.store.marks().RaiseCopies();
  sweeper.Post([this, &sweeper, swept = std::move(change.swept)]() mutable {
    SweepLost(sweeper, std::move(swept));
  });
}

void Ownership::SweepLost(Executor& sweeper, std::function<void()> swept) {
  const auto is_lost = [this](std::string_view key) { return !context_.Owns(key); };
  Sweep::Start(context_, sweeper,
               {.shard = [is_lost](Shard& shard) { shard.flights.DetachIf(is_lost); },
                .entry =
                    [is_lost](EntryTable& entries, Entry* entry) {
                      if (entry->role() == Role::kMain && is_lost(entry->key())) {
                        entries.Erase(entry);
                      }
                    },
                .done =
                    [this, swept = std::move(swept)] {
                      context_.owners_change.store(false);
                      swept();
                    }});
}

void Ownership::CutDisputed(Executor& sweeper) {
  sweeper.Post([this, &sweeper] {
    const Instant now = context_.clock.Now();
    Sweep::Start(context_, sweeper,
                 {.shard = [](Shard&) {},
                  .entry =
                      [this, now](EntryTable& entries, Entry* entry) {
                        if (entry->role() != Role::kMain) return;
                        if (!context_.picker.Owner(entry->key()).disputed) return;
                        const Group& group = *context_.groups[entry->group()];
                        const Instant end = now + group.config().hot_lease;
                        if (end < entry->expires()) entries.SetExpires(entry, end);
                      },
                  .done = [] {}});
  });
}

}  // namespace cistern::cache
