#include "cache/entry_table.h"

#include <algorithm>
#include <utility>

namespace cistern::cache {
namespace {

// An expired hot copy that had been hit is remembered so long: the next GET then wishes a lease
// again.
constexpr Duration kHotMemory = std::chrono::seconds(1);

// From when on it may be dropped unasked.
Instant ReclaimableFrom(const Entry& entry) {
  const bool remembered = entry.role() == Role::kHot && entry.hit();
  return remembered && entry.expires() != kNever ? entry.expires() + kHotMemory : entry.expires();
}

uint64_t BytesOf(const Entry& entry) {
  const BlobPtr blob = entry.blob();
  return entry.charge() + (blob ? blob->charge() : 0);
}

}  // namespace

void EntryCounts::Add(const EntryCounts& other) {
  for (int role = 0; role < 2; ++role) {
    of[role].items += other.of[role].items;
    of[role].negatives += other.of[role].negatives;
    of[role].bytes += other.of[role].bytes;
    of[role].evictions += other.of[role].evictions;
  }
  expirations += other.expirations;
  policy.ghost_hits += other.policy.ghost_hits;
  policy.promotions += other.policy.promotions;
  policy.reinsertions += other.policy.reinsertions;
}

EntryTable::EntryTable(std::span<Account* const> accounts, std::span<const uint16_t> account_of,
                       const Watermarks& marks)
    : accounts_(accounts),
      account_of_(account_of),
      marks_(marks),
      index_charge_(accounts[0]->budget, ChargeKind::kEntries, index_.bytes()),
      counts_(account_of.size()),
      policy_counts_(account_of.size()),
      queues_(accounts.size()) {
  for (size_t a = 0; a < accounts.size(); ++a) {
    queues_[a].values =
        MakePolicy(accounts[a]->policy, {BytesOf, policy_counts_, accounts[a]->tuner.get()});
    queues_[a].policy_charge =
        Charge(accounts[a]->budget, ChargeKind::kEntries, queues_[a].values->bytes());
  }
}

EntryTable::~EntryTable() {
  size_t cursor = 0;
  VisitSome(&cursor, index_.buckets(), [this](Entry* entry) { Erase(entry); });
}

Entry* EntryTable::Find(std::string_view key, uint64_t hash, Instant now) const {
  Entry* entry = index_.Find(key, hash);
  if (entry == nullptr || entry->ExpiredAt(now) || marks_.IsPast(*entry)) return nullptr;
  return entry;
}

void EntryTable::Hit(Entry* entry) {
  entry->MarkHit();
  if (entry->role() == Role::kMain && !entry->negative()) QueuesOf(*entry).values->Hit(entry);
}

void EntryTable::Put(const NewEntry& fresh) {
  if (Entry* old = index_.Find(fresh.key, fresh.hash)) Erase(old);
  Entry* entry = Entry::Make(fresh);
  const size_t buckets = index_.buckets();
  index_.Insert(entry);
  index_charge_.Resize(index_.bytes());
  // Growing moves entries, perhaps past the round that is under way.
  if (index_.buckets() != buckets) soonest_next_ = std::min(soonest_next_, soonest_);

  Account& account = AccountOf(*entry);
  account.budget.Add(ChargeKind::kEntries, entry->charge());
  if (const BlobPtr blob = entry->blob()) blob->ChargeTo(account.budget);
  Count(*entry, true);
  NoteExpiry(*entry);
  Queues& queues = QueuesOf(*entry);
  if (entry->negative()) {
    queues.negatives.PushFront(entry);
  } else if (entry->role() == Role::kHot) {
    queues.hot.PushFront(entry);
  } else {
    queues.values->Insert(entry);
  }
  // Not found keeps to its share always, so that random keys cannot push out real ones.
  while (account.NegativesExceedShare() && queues.negatives.back() != nullptr) {
    Drop(queues.negatives.PopBack());
  }
}

void EntryTable::SetExpires(Entry* entry, Instant at) {
  entry->set_expires(at);
  NoteExpiry(*entry);
}

void EntryTable::Count(const Entry& entry, bool added) {
  Account& account = AccountOf(entry);
  const uint64_t bytes = BytesOf(entry);
  const uint64_t sign = added ? 1 : ~uint64_t{0};  // unsigned arithmetic: adding ~0 subtracts 1
  EntryCounts& counts = counts_[entry.group()];
  CatchUp(&counts, entry.group());
  EntryCounts::Held& held = counts.of[static_cast<size_t>(entry.role())];
  if (held.mark == entry.mark()) {
    (entry.negative() ? held.negatives : held.items) += sign;
    held.bytes += sign * bytes;
  }
  if (entry.negative()) {
    account.negative_bytes.fetch_add(sign * bytes, std::memory_order_relaxed);
  } else if (entry.role() == Role::kHot) {
    account.hot_bytes.fetch_add(sign * bytes, std::memory_order_relaxed);
  }
}

void EntryTable::CatchUp(EntryCounts* counts, size_t group) const {
  for (const Role role : {Role::kMain, Role::kHot}) {
    EntryCounts::Held& held = counts->of[static_cast<size_t>(role)];
    const uint32_t mark = marks_.Of(group, role);
    if (held.mark != mark) held = {.evictions = held.evictions, .mark = mark};
  }
}

EntryCounts EntryTable::Counts(size_t group) const {
  EntryCounts counts = counts_[group];
  CatchUp(&counts, group);
  counts.policy = policy_counts_[group];
  return counts;
}

void EntryTable::Unlink(Entry* entry) {
  Queues& queues = QueuesOf(*entry);
  if (entry->negative()) {
    queues.negatives.Remove(entry);
  } else if (entry->role() == Role::kHot) {
    queues.hot.Remove(entry);
  } else {
    queues.values->Remove(entry);
  }
}

uint64_t EntryTable::Drop(Entry* entry) {
  const uint64_t bytes = BytesOf(*entry);
  Count(*entry, false);
  AccountOf(*entry).budget.Release(ChargeKind::kEntries, entry->charge());
  index_.Remove(entry);
  Entry::Free(entry);
  return bytes;
}

void EntryTable::Erase(Entry* entry) {
  Unlink(entry);
  Drop(entry);
}

uint64_t EntryTable::EvictOne(size_t a) {
  Queues& queues = queues_[a];
  Entry* victim = nullptr;
  if (accounts_[a]->HotExceedsShare()) victim = queues.hot.PopBack();
  if (victim == nullptr) {
    victim = queues.values->Evict();
    queues.policy_charge.Resize(queues.values->bytes());
  }
  if (victim == nullptr) victim = queues.hot.PopBack();
  if (victim == nullptr) victim = queues.negatives.PopBack();
  if (victim == nullptr) return 0;
  ++counts_[victim->group()].of[static_cast<size_t>(victim->role())].evictions;
  return Drop(victim);
}

void EntryTable::NoteExpiry(const Entry& entry) {
  soonest_ = std::min(soonest_, ReclaimableFrom(entry));
  soonest_next_ = std::min(soonest_next_, ReclaimableFrom(entry));
}

void EntryTable::ReclaimExpired(Instant now, size_t buckets) {
  // The round that is under way may have been past what a raise has ended: the next one is not.
  if (std::exchange(raises_seen_, marks_.raised()) != marks_.raised()) {
    soonest_ = soonest_next_ = Instant::min();
  }
  for (size_t i = 0; i < buckets && soonest_ <= now; ++i) {
    index_.VisitBucket(&reclaim_cursor_, [&](Entry* entry) {
      const bool is_past = marks_.IsPast(*entry);
      if (!is_past && ReclaimableFrom(*entry) > now) return NoteExpiry(*entry);
      if (!is_past) ++counts_[entry->group()].expirations;
      Erase(entry);
    });
    if (reclaim_cursor_ == 0) soonest_ = std::exchange(soonest_next_, kNever);
  }
}

}  // namespace cistern::cache
