#include "cache/entry_table.h"

#include <algorithm>
#include <string>
#include <utility>

namespace cistern::cache {
namespace {

// An expired hot copy that had been hit is remembered so long: the next GET then wishes a lease
// again.
constexpr Duration kHotMemory = std::chrono::seconds(1);

// Those of a page are vacated by steps.
constexpr uint64_t kMovedAtOnce = 16;

// From when on it may be dropped unasked.
Instant ReclaimableFrom(const Entry& entry) {
  const bool remembered = entry.role() == Role::kHot && entry.hit();
  return remembered && entry.expires() != kNever ? entry.expires() + kHotMemory : entry.expires();
}

uint64_t BytesOf(const Entry& entry) {
  const Blob* blob = entry.blob();
  return entry.charge() + (blob != nullptr ? blob->charge() : 0);
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

EntryTable::EntryTable(const Context& context)
    : accounts_(context.accounts),
      account_of_(context.account_of),
      marks_(context.marks),
      slabs_(context.pages),
      tables_(context.pages),
      index_(tables_, context.shard_bits),
      index_charge_(accounts_[0]->budget, ChargeKind::kEntries, index_.bytes()),
      counts_(account_of_.size()),
      policy_counts_(account_of_.size()) {
  const Arena& arena = context.pages.arena();
  for (Account* account : accounts_) {
    queues_.push_back({MakePolicy(account->policy, {.arena = arena,
                                                    .tables = tables_,
                                                    .weigh = BytesOf,
                                                    .counts = policy_counts_,
                                                    .shard = context.number,
                                                    .sums = account->sums.get(),
                                                    .tuner = account->tuner.get()}),
                       Charge(account->budget, ChargeKind::kEntries, 0), EntryQueue(arena),
                       EntryQueue(arena)});
    queues_.back().policy_charge.Resize(queues_.back().values->bytes());
  }
}

EntryTable::~EntryTable() {
  EraseAll();
}

void EntryTable::EraseAll() {
  uint64_t cursor = 0;
  VisitSome(&cursor, SIZE_MAX, [this](Entry* entry) { Erase(entry); });
  // Marks that had come round were taken for those in force.
  for (EntryCounts& counts : counts_) {
    for (EntryCounts::Held& held : counts.of)
      held = {.evictions = held.evictions, .mark = held.mark};
  }
  raises_swept_ = raises_at_round_ = marks_.raised();
}

Entry* EntryTable::Find(std::string_view key, uint64_t hash, Instant now) {
  KeepUpWithMarks();
  Entry* entry = index_.Find(key, hash);
  if (entry == nullptr || entry->ExpiredAt(now) || marks_.IsPast(*entry)) return nullptr;
  return entry;
}

void EntryTable::Hit(Entry* entry, uint64_t hash) {
  entry->MarkHit();
  if (IsValue(*entry)) QueuesOf(*entry).values->Hit(entry, hash);
}

void EntryTable::Put(const NewEntry& fresh) {
  if (Entry* old = index_.Find(fresh.key, fresh.hash)) Erase(old);
  if (fresh.version.size() > kMostVersionBytes) return;
  Entry* entry = MakeOrEvict(fresh);
  if (entry == nullptr) return;
  Add(entry, fresh.hash);
  if (!index_.Insert(entry, fresh.hash)) {
    Unlink(entry);
    Release(entry);
    return;
  }
  index_charge_.Resize(index_.bytes());
  // Not found keeps to its share always, so that random keys cannot push out real ones.
  Account& account = AccountOf(*entry);
  Queues& queues = QueuesOf(*entry);
  while (account.NegativesExceedShare() && queues.negatives.back() != nullptr) {
    Drop(queues.negatives.PopBack());
  }
}

void EntryTable::Add(Entry* entry, uint64_t hash) {
  Account& account = AccountOf(*entry);
  account.budget.Add(ChargeKind::kEntries, entry->charge());
  if (const Blob* blob = entry->blob()) blob->ChargeTo(account.budget);
  Count(*entry, true);
  NoteExpiry(*entry);
  Link(entry, hash);
}

// Whatever goes frees a slot: of the size that is wanted, or one more of a page that is needed.
Entry* EntryTable::MakeOrEvict(const NewEntry& fresh) {
  const uint64_t most = touched() + kMostTouched - index_.MovedBy(fresh.hash);
  while (true) {
    if (Entry* entry = Entry::Make(fresh, slabs_)) return entry;
    const uint64_t left = most - touched();
    if (VacatePages(std::min(left, kMovedAtOnce)) > 0) continue;
    if (left < EvictionPolicy::kMostLookedAt || !EvictAny()) return nullptr;
  }
}

bool EntryTable::EvictAny() {
  for (size_t tried = 0; tried < accounts_.size(); ++tried) {
    if (EvictOne(evict_turn_++ % accounts_.size()) > 0) return true;
  }
  return false;
}

size_t EntryTable::VacatePages(size_t most) {
  return slabs_.Vacate(most, [this](char* from, char* to) {
    ++touched_;
    auto* entry = reinterpret_cast<Entry*>(from);
    const uint64_t hash = entry->hash();
    Entry* copy = entry->MoveTo(to);
    index_.Replace(entry, copy, hash);
    Queues& queues = QueuesOf(*copy);
    if (EntryQueue* queue = queues.PlainOf(*copy)) return queue->Replace(copy);
    queues.values->Replace(copy);
  });
}

size_t EntryTable::Compact(size_t most, uint64_t unused_part) {
  const uint64_t unused = slabs_.page_bytes() - slabs_.used_bytes();
  return unused > slabs_.page_bytes() / unused_part ? VacatePages(most) : 0;
}

void EntryTable::Link(Entry* entry, uint64_t hash) {
  Queues& queues = QueuesOf(*entry);
  if (EntryQueue* queue = queues.PlainOf(*entry)) return queue->PushFront(entry);
  queues.values->Insert(entry, hash);
}

void EntryTable::Unlink(Entry* entry) {
  Queues& queues = QueuesOf(*entry);
  if (EntryQueue* queue = queues.PlainOf(*entry)) return queue->Remove(entry);
  queues.values->Remove(entry);
}

void EntryTable::SetExpires(Entry* entry, Instant at) {
  if (entry->set_expires(at)) return NoteExpiry(*entry);
  // It has no room for an end: another one takes its place, in the index's very slot, so that this
  // may be called of an entry that is being visited.
  NewEntry fresh{.key = entry->key(),
                 .hash = HashKey(entry->key()),
                 .group = entry->group(),
                 .role = entry->role(),
                 .mark = marks_.Of(entry->group(), entry->role()),
                 .value = BlobPtr(entry->blob()),
                 .expires = at,
                 .refresh_from = entry->refresh_from(),
                 .version = entry->version()};
  if (!entry->negative() && fresh.value == nullptr) {
    fresh.value = MakeBlob(entry->value());
  }
  Unlink(entry);  // so it cannot be the one that is evicted for its own sake
  Entry* moved = Entry::Make(fresh, slabs_);
  const uint64_t most = touched() + kMostTouched - EvictionPolicy::kMostLookedAt;
  while (moved == nullptr && touched() <= most && EvictAny())
    moved = Entry::Make(fresh, slabs_);
  if (moved == nullptr) {
    Drop(entry);
    return;
  }
  Add(moved, fresh.hash);
  index_.Replace(entry, moved, fresh.hash);
  Release(entry);
}

void EntryTable::Count(const Entry& entry, bool added) {
  Account& account = AccountOf(entry);
  const uint64_t bytes = BytesOf(entry);
  const uint64_t sign = added ? 1 : ~uint64_t{0};  // unsigned arithmetic: adding ~0 subtracts 1
  EntryCounts& counts = counts_[entry.group()];
  CatchUp(&counts, entry.group());
  EntryCounts::Held& held = counts.of[static_cast<size_t>(entry.role())];
  if (static_cast<uint16_t>(held.mark) == entry.mark()) {
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

uint64_t EntryTable::Drop(Entry* entry) {
  index_.Remove(entry, HashKey(entry->key()));
  return Release(entry);
}

uint64_t EntryTable::Release(Entry* entry) {
  const uint64_t bytes = BytesOf(*entry);
  Count(*entry, false);
  AccountOf(*entry).budget.Release(ChargeKind::kEntries, entry->charge());
  Entry::Free(entry, slabs_);
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
    const uint64_t spared = queues.values->spared();
    victim = queues.values->Evict();
    touched_ += queues.values->spared() - spared;
    queues.policy_charge.Resize(queues.values->bytes());
  }
  if (victim == nullptr) victim = queues.hot.PopBack();
  if (victim == nullptr) victim = queues.negatives.PopBack();
  if (victim == nullptr) return 0;
  ++touched_;
  ++counts_[victim->group()].of[static_cast<size_t>(victim->role())].evictions;
  const uint64_t bytes = Drop(victim);
  if (const Entry* next = queues.values->Next()) Expect(next->group(), next->hash());
  return bytes;
}

void EntryTable::NoteExpiry(const Entry& entry) {
  soonest_ = std::min(soonest_, ReclaimableFrom(entry));
  soonest_next_ = std::min(soonest_next_, ReclaimableFrom(entry));
}

void EntryTable::ReclaimExpired(Instant now, size_t buckets) {
  KeepUpWithMarks();
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
    if (reclaim_cursor_ != 0) continue;
    soonest_ = std::exchange(soonest_next_, kNever);
    raises_swept_ = std::exchange(raises_at_round_, raises_seen_);
  }
}

}  // namespace cistern::cache
