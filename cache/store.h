// Store: all shards, the accounts that their entries draw on, and the room they share.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/key.h"
#include "cache/shard.h"

namespace cistern::cache {

// Shared by all workers. Methods may be called from any thread; what a shard holds is guarded by
// its lock.
class Store {
 public:
  struct Options {
    uint64_t memory = 1ULL << 30;  // bytes, of everything
    int workers = 1;
    std::string policy = "adaptive";  // of the groups without `memory`
    size_t holder_records = 1 << 20;  // leases granted at one time, at most
  };

  // One account for all groups without `memory`, one for each group with it.
  Store(const Options& options, std::span<const GroupConfig* const> groups);

  Shard& ShardOf(uint64_t hash) { return *shards_[hash >> shard_shift_]; }
  size_t shards() const { return shards_.size(); }
  Shard& shard(size_t i) { return *shards_[i]; }

  // The process's budget: also for clients' buffers, flights and holder records.
  Budget& budget() { return *budgets_[0]; }
  // What loads of the group under way hold, and what they brought and is not kept; its limit is the
  // group's. Part of budget().
  Budget& in_flight(size_t group) { return *in_flight_[group]; }
  Account& account(size_t group) { return *account_ptrs_[account_of_[group]]; }
  // What is held is valid under these.
  Watermarks& marks() { return marks_; }
  Grace& grace() { return grace_; }
  // Any key may have been invalidated until now: at the start, by a purge, or by a former owner.
  void HoldOffAll(Instant now);
  // Evicts until `group`'s account is within its budget: what its policy would let go of all
  // shards, about. Touches no more entries than EntryTable::kMostTouched; Reclaim() does the rest.
  // Call without any shard's lock, after entries were put.
  void MakeRoom(size_t group);
  // Bytes of all budgets together, with so many more, beyond `memory`; 0 within it.
  uint64_t Excess(uint64_t more = 0) const;
  // The same as above for whatever else grew, clients' buffers for one: evicts, of any group, until
  // there is no excess. False: what is left is none that can be evicted.
  bool MakeRoomFor(uint64_t more);
  // Drops expired entries and ended leases from worker `w`'s part of the shards, where it stopped
  // last time, for about 200 µs at most; then evicts what others than entries (clients, peers,
  // flights) have pressed out of the budget, a few MiB at most.
  void Reclaim(int w, int workers, const Clock& clock);

  // Keeps memory ready for entries until told to stop, so that no other thread waits for the
  // kernel. For a thread of its own.
  void PrepareMemory(const std::stop_token& stop);
  // Entries move together until their pages are nearly full, and memory that then is free goes to
  // the system. For a thread that may take its time: milliseconds a gigabyte, or seconds where much
  // moves.
  void GiveBackMemory();

  // Whether PrepareMemory() has nothing to do.
  bool is_memory_prepared() const;
  // How often somebody had to wait for the kernel all the same.
  uint64_t waits_for_memory() const;
  size_t arenas() const { return memories_.size(); }

  // Summed over the shards.
  EntryCounts Counts(size_t group);
  size_t HolderRecords();
  // Bytes of all budgets together.
  uint64_t used(ChargeKind kind) const;
  uint64_t limit() const { return limit_; }

 private:
  void PrepareDirectories();
  // The shard that is the next to give up an entry of account `a`.
  size_t NextToEvict(size_t a);
  // At which an eviction stops, or soon after.
  struct Most {
    uint64_t bytes = UINT64_MAX;
    uint64_t touched = UINT64_MAX;  // see EntryTable
  };
  // Evicts from account `a` until it is within its budget.
  void EvictExcess(size_t a, Most most);
  template <class IsEnough>
  uint64_t Evict(size_t a, const Most& most, IsEnough is_enough);

  const uint64_t limit_;
  std::vector<std::unique_ptr<Budget>> budgets_;
  std::vector<std::unique_ptr<Budget>> in_flight_;  // by group
  std::vector<std::unique_ptr<Account>> accounts_;
  std::vector<Account*> account_ptrs_;
  std::vector<uint16_t> account_of_;  // by group
  // Of some of the shards; outlives them.
  struct Memory {
    explicit Memory(uint64_t bytes) : arena(bytes), pages(arena) {}
    Arena arena;
    SlabPages pages;
  };
  std::vector<std::unique_ptr<Memory>> memories_;
  bool holds_off_ = false;  // some group has a hold_off
  Watermarks marks_;
  Grace grace_;
  std::vector<std::unique_ptr<Shard>> shards_;
  int shard_shift_ = 0;
  std::atomic<size_t> evict_cursor_{0};
  std::vector<size_t> reclaim_at_;  // by worker: the shard that it visited last
};

}  // namespace cistern::cache
