// EntryTable: the entries of one shard: index, order of eviction, charges and counts.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "cache/account.h"
#include "cache/entry_queue.h"
#include "cache/eviction_policy.h"
#include "cache/index.h"
#include "cache/watermarks.h"

namespace cistern::cache {

// What one group has in one shard, or, summed, in the store.
struct EntryCounts {
  // What is held in one role.
  struct Held {
    uint64_t items = 0;      // values
    uint64_t negatives = 0;  // keys known as not found
    uint64_t bytes = 0;      // of both
    uint64_t evictions = 0;
    uint32_t mark = 0;  // all but evictions count what is held under it
  };
  Held of[2];  // by Role
  uint64_t items(Role role) const { return of[static_cast<size_t>(role)].items; }
  uint64_t bytes(Role role) const { return of[static_cast<size_t>(role)].bytes; }
  uint64_t evictions(Role role) const { return of[static_cast<size_t>(role)].evictions; }
  uint64_t negatives() const { return of[0].negatives + of[1].negatives; }
  uint64_t expirations = 0;
  PolicyCounts policy;

  void Add(const EntryCounts& other);
};

// Guarded by the shard's lock, but for Prefetch().
class EntryTable {
 public:
  // What tables share; outlives them. `account_of` maps a group to its index in accounts.
  struct Context {
    size_t number;  // of the table, from 0
    std::span<Account* const> accounts;
    std::span<const uint16_t> account_of;
    const Watermarks& marks;
    SlabPages& pages;
    int shard_bits;  // of a hash, at its top: alike for all keys of one table
  };
  explicit EntryTable(const Context& context);
  ~EntryTable();
  EntryTable(const EntryTable&) = delete;
  EntryTable& operator=(const EntryTable&) = delete;

  const void* Prefetch(uint64_t hash) const { return index_.Prefetch(hash); }
  const Entry* Candidate(const void* place, uint64_t hash) const {
    return index_.Candidate(place, hash);
  }
  // The entry unless absent, expired at `now` or past its watermark; valid until the table's next
  // change.
  Entry* Find(std::string_view key, uint64_t hash, Instant now);
  // Also one that is over but has not been reclaimed yet.
  Entry* FindAny(std::string_view key, uint64_t hash) {
    KeepUpWithMarks();
    return index_.Find(key, hash);
  }
  // The same for whoever has no lock, as a copy, to be believed only if the lock's version has not
  // changed meanwhile; then see Answers(). nullptr: ask under the lock.
  const Entry* Copy(std::string_view key, uint64_t hash, EntryCopy& copy) const {
    return is_behind_marks() ? nullptr : index_.Copy(key, hash, copy);
  }
  // Whether such a copy may answer without the lock: it is not over, and nothing is to be noted,
  // neither a hit (`touches`) nor that it is renewed.
  bool Answers(const Entry& copy, uint64_t hash, Instant now, bool touches) const {
    return !copy.ExpiredAt(now) && !marks_.IsPast(copy) && copy.refresh_from() > now &&
           !(touches && NotesHit(copy, hash));
  }
  // Somebody was answered from it.
  void Hit(Entry* entry, uint64_t hash);

  // An entry of that hash is about to be put, or let go: what that will touch is on its way into
  // the CPU's cache.
  void Expect(size_t group, uint64_t hash) const {
    index_.PrefetchToWrite(hash);
    queues_[account_of_[group]].values->Expect(hash);
  }
  // Keeps it, in place of whatever the key had; evicts and moves others where the slabs have no
  // room. Not kept is what finds none all the same, and what has too long a version.
  void Put(const NewEntry& entry);
  // `entry` may be another one afterwards.
  void SetExpires(Entry* entry, Instant at);
  void Erase(Entry* entry);
  // Calls visit(Entry*), which may erase the entry that it is given and no other, for what stands
  // in the next `buckets` after `*cursor`. Returns whether the last one of the table was among
  // them.
  template <class Visit>
  bool VisitSome(uint64_t* cursor, size_t buckets, Visit visit) {
    for (; buckets > 0; --buckets) {
      index_.VisitBucket(cursor, visit);
      if (*cursor == 0) return true;
    }
    return false;
  }
  // Evicts one entry that draws on account `a`; returns its bytes, 0 if there is none.
  uint64_t EvictOne(size_t a);
  // Where more than one in `unused_part` of the pages' bytes is not used, because entries have gone
  // or their sizes changed: moves up to `most` of them so that pages become free. Returns how many;
  // 0: there is nothing to be gained.
  size_t Compact(size_t most, uint64_t unused_part);
  // Drops what is over in the next `buckets` of the index; goes round. Costs nothing before the
  // instant at which something expires, or a watermark rises.
  void ReclaimExpired(Instant now, size_t buckets);

  size_t buckets() const { return index_.buckets(); }
  // Entries that operations have moved, or looked at to evict one, all together: how much others
  // have had to wait. No operation adds more than kMostTouched.
  static constexpr uint64_t kMostTouched = 700;
  uint64_t touched() const { return index_.moved() + touched_; }
  // The index's next directory, see Index.
  Index& index() { return index_; }
  // What is past its watermark does not count, whether it has been reclaimed or not.
  EntryCounts Counts(size_t group) const;

 private:
  // The queues of one account. Negative and hot entries are cheap: plain FIFOs do.
  struct Queues {
    std::unique_ptr<EvictionPolicy> values;
    Charge policy_charge;  // of what `values` takes for itself
    EntryQueue hot;
    EntryQueue negatives;

    // Of entries that are no values: nullptr for those.
    EntryQueue* PlainOf(const Entry& entry) {
      if (entry.negative()) return &negatives;
      return entry.role() == Role::kHot ? &hot : nullptr;
    }
  };

  Queues& QueuesOf(const Entry& entry) { return queues_[account_of_[entry.group()]]; }
  // Whether a policy orders it.
  static bool IsValue(const Entry& entry) {
    return entry.role() == Role::kMain && !entry.negative();
  }
  // Whether Hit() would change anything.
  bool NotesHit(const Entry& entry, uint64_t hash) const {
    return !entry.hit() ||
           (IsValue(entry) && queues_[account_of_[entry.group()]].values->Notes(entry, hash));
  }
  Account& AccountOf(const Entry& entry) { return *accounts_[account_of_[entry.group()]]; }
  void EraseAll();
  // Charges, counts and queues it.
  void Add(Entry* entry, uint64_t hash);
  Entry* MakeOrEvict(const NewEntry& fresh);
  void Link(Entry* entry, uint64_t hash);
  void Count(const Entry& entry, bool added);
  // Forgets what was counted under an earlier watermark.
  void CatchUp(EntryCounts* counts, size_t group) const;
  void Unlink(Entry* entry);
  // The entry is in no queue any more.
  uint64_t Drop(Entry* entry);
  // ... nor in the index.
  uint64_t Release(Entry* entry);
  void NoteExpiry(const Entry& entry);

  // An entry has 16 bits of its mark.
  static constexpr uint32_t kMostUnswept = 60'000;

  size_t VacatePages(size_t most);
  // One entry, of the accounts in turn.
  bool EvictAny();
  // What is past its mark could seem valid again once marks of 16 bits have come round: if the
  // sweep has fallen so far behind, everything goes at once.
  void KeepUpWithMarks() {
    if (is_behind_marks()) EraseAll();
  }
  bool is_behind_marks() const { return marks_.raised() - raises_swept_ >= kMostUnswept; }

  std::span<Account* const> accounts_;
  std::span<const uint16_t> account_of_;
  const Watermarks& marks_;
  Slabs slabs_;   // entries
  Slabs tables_;  // the index, and what policies remember
  Index index_;
  Charge index_charge_;
  std::vector<EntryCounts> counts_;          // by group, but for what the policies count
  std::vector<PolicyCounts> policy_counts_;  // by group
  std::vector<Queues> queues_;               // by account
  // Nothing can be reclaimed before `soonest_`; the next round will know better, from what this one
  // has seen and what was put meanwhile.
  Instant soonest_ = kNever;
  Instant soonest_next_ = kNever;
  uint64_t reclaim_cursor_ = 0;
  size_t evict_turn_ = 0;  // the account that EvictAny() begins with
  uint64_t touched_ = 0;   // but for the index
  uint32_t raises_seen_ = 0;
  uint32_t raises_at_round_ = 0;  // when the round that is under way began
  uint32_t raises_swept_ = 0;     // all that these ended is gone
};

}  // namespace cistern::cache
