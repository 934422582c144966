#include "cache/store.h"

#include <algorithm>
#include <bit>
#include <thread>

#include "cache/s3fifo.h"

namespace cistern::cache {
namespace {

constexpr size_t kShardsPerWorker = 16;
constexpr size_t kMinShards = 16;
constexpr Duration kReclaimSlice = std::chrono::microseconds(200);
constexpr size_t kReclaimBuckets = 16;
constexpr size_t kCompacted = 16;
// Of the pages' bytes: more is not used before entries are moved unasked, and where the memory is
// wanted elsewhere.
constexpr uint64_t kUnusedPart = 8;
constexpr uint64_t kUnusedPartWhenWanted = 64;
constexpr size_t kReclaimHolderBuckets = 64;
constexpr size_t kHoldOffSlots = size_t{1} << 18;  // of all shards, where a group wants them
constexpr uint64_t kReclaimBytes = uint64_t{4} << 20;

// Pages that are not full come on top of what is charged.
uint64_t ArenaBytes(uint64_t memory) {
  return memory + memory / 16 + 2 * Arena::kRegionBytes;
}

// References name no more than kMostBytes: what is larger takes several arenas, each for as many of
// the shards.
size_t ArenasFor(uint64_t memory) {
  constexpr uint64_t kMost = Arena::kMostBytes - 2 * Arena::kRegionBytes;
  return std::bit_ceil((ArenaBytes(memory) + kMost - 1) / kMost);
}

size_t ShardsFor(int workers, size_t arenas) {
  return std::bit_ceil(
      std::max({kMinShards, kShardsPerWorker * static_cast<size_t>(workers), arenas}));
}

std::unique_ptr<Account> MakeAccount(Budget& budget, double hot_share, const std::string& policy,
                                     size_t shards) {
  auto account = std::make_unique<Account>(budget, hot_share, policy);
  if (policy == "adaptive" || policy == "s3fifo")
    account->sums = std::make_unique<S3FifoSums>(shards);
  if (policy == "adaptive") {
    account->tuner = std::make_unique<S3FifoTuner>();
    account->tuner_charge = Charge(budget, ChargeKind::kEntries, S3FifoTuner::bytes());
  }
  return account;
}

}  // namespace

Store::Store(const Options& options, std::span<const GroupConfig* const> groups)
    : limit_(options.memory), marks_(groups.size()), reclaim_at_(options.workers) {
  uint64_t carved = 0;
  double shared_hot = 0;
  for (const GroupConfig* group : groups) {
    carved += group->memory.value_or(0);
    holds_off_ |= group->hold_off > Duration(0);
    if (!group->memory) shared_hot = std::max(shared_hot, group->hot_share);
  }
  budgets_.push_back(std::make_unique<Budget>(limit_ - std::min(carved, limit_)));
  const size_t arenas = ArenasFor(options.memory);
  for (size_t i = 0; i < arenas; ++i)
    memories_.push_back(std::make_unique<Memory>(ArenaBytes(options.memory) / arenas));
  const size_t count = ShardsFor(options.workers, arenas);
  accounts_.push_back(MakeAccount(*budgets_[0], shared_hot, options.policy, count));
  for (const GroupConfig* group : groups) {
    in_flight_.push_back(std::make_unique<Budget>(group->max_load_bytes, budgets_[0].get()));
    account_of_.push_back(group->memory ? static_cast<uint16_t>(accounts_.size()) : 0);
    if (!group->memory) continue;
    budgets_.push_back(std::make_unique<Budget>(*group->memory));
    accounts_.push_back(MakeAccount(*budgets_.back(), group->hot_share, group->policy, count));
  }
  for (const auto& account : accounts_)
    account_ptrs_.push_back(account.get());

  shard_shift_ = 64 - std::countr_zero(count);
  for (size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(
        EntryTable::Context{.number = i,
                            .accounts = account_ptrs_,
                            .account_of = account_of_,
                            .marks = marks_,
                            .pages = memories_[i % arenas]->pages,
                            .shard_bits = 64 - shard_shift_},
        options.holder_records / count, grace_, holds_off_ ? kHoldOffSlots / count : 0));
  }
}

void Store::HoldOffAll(Instant now) {
  if (!holds_off_) return;
  for (const auto& shard : shards_) {
    std::lock_guard lock(shard->mutex);
    shard->hold_off.NoteAll(now);
  }
}

size_t Store::NextToEvict(size_t a) {
  const size_t turn = evict_cursor_.fetch_add(1, std::memory_order_relaxed) % shards_.size();
  const Account& account = *accounts_[a];
  if (!account.sums || account.HotExceedsShare()) return turn;
  return S3Fifo::NextShard(*account.sums, account.tuner.get(), turn);
}

// What is evicted may still be pinned by replies, so count what went rather than wait for the
// budget; and stop when a whole round finds nothing. Returns what went.
template <class IsEnough>
uint64_t Store::Evict(size_t a, const Most& most, IsEnough is_enough) {
  uint64_t freed = 0;
  uint64_t touched = 0;
  size_t empty = 0;
  while (freed < most.bytes && touched <= most.touched && empty < shards_.size() && !is_enough()) {
    Shard& shard = *shards_[NextToEvict(a)];
    std::lock_guard lock(shard.mutex);
    const uint64_t before = shard.entries.touched();
    const uint64_t gone = shard.entries.EvictOne(a);
    touched += shard.entries.touched() - before;
    empty = gone == 0 ? empty + 1 : 0;
    freed += gone;
  }
  return freed;
}

void Store::EvictExcess(size_t a, Most most) {
  const Budget& budget = account_ptrs_[a]->budget;
  most.bytes = std::min(budget.Excess(), most.bytes);
  Evict(a, most, [&budget] { return budget.Excess() == 0; });
}

void Store::MakeRoom(size_t group) {
  EvictExcess(account_of_[group],
              {.touched = EntryTable::kMostTouched - EvictionPolicy::kMostLookedAt});
}

uint64_t Store::Excess(uint64_t more) const {
  uint64_t sum = more;
  for (const auto& budget : budgets_)
    sum += budget->used();
  return sum - std::min(sum, limit_);
}

// Others grow meanwhile, and what was pinned gave nothing: again, until there is nothing to evict.
bool Store::MakeRoomFor(uint64_t more) {
  const auto is_enough = [this, more] { return Excess(more) == 0; };
  for (size_t a = 0; a < account_ptrs_.size(); ++a) {
    while (const uint64_t excess = Excess(more)) {
      if (Evict(a, {.bytes = excess}, is_enough) == 0) break;
    }
  }
  return is_enough();
}

void Store::Reclaim(int w, int workers, const Clock& clock) {
  size_t& at = reclaim_at_[w];
  const Instant start = clock.Now();
  const size_t mine = shards_.size() / static_cast<size_t>(workers) + 1;
  Instant now = start;
  for (size_t i = 0; i < mine && now - start < kReclaimSlice; ++i, now = clock.Now()) {
    at += static_cast<size_t>(workers);
    if (at >= shards_.size()) at = static_cast<size_t>(w);
    Shard& shard = *shards_[at % shards_.size()];
    std::lock_guard lock(shard.mutex);
    shard.entries.ReclaimExpired(now, kReclaimBuckets);
    shard.entries.Compact(kCompacted, kUnusedPart);
    shard.holders.Reclaim(now, kReclaimHolderBuckets);
  }
  for (size_t a = 0; a < accounts_.size(); ++a)
    EvictExcess(a, {.bytes = kReclaimBytes});
}

void Store::PrepareMemory(const std::stop_token& stop) {
  const auto prepare = [this, &stop](Memory& memory) {
    memory.arena.Prepare(stop, [this] { PrepareDirectories(); });
  };
  std::vector<std::jthread> others;
  for (const auto& memory : std::span(memories_).subspan(1))
    others.emplace_back([&prepare, &memory] { prepare(*memory); });
  prepare(*memories_.front());
}

bool Store::is_memory_prepared() const {
  return std::ranges::all_of(memories_, [](const auto& one) { return one->arena.is_prepared(); });
}

uint64_t Store::waits_for_memory() const {
  uint64_t sum = 0;
  for (const auto& memory : memories_)
    sum += memory->arena.counts().waited;
  return sum;
}

// Where there are more entries, directories double: that takes some KiB that nobody has touched.
void Store::PrepareDirectories() {
  for (const auto& shard : shards_) {
    std::unique_lock lock(shard->mutex);
    const int bits = shard->entries.index().WantedSpare();
    if (bits == 0) continue;
    lock.unlock();
    Index::Words words = Index::MakeWords(bits);
    lock.lock();
    shard->entries.index().TakeSpare(bits, std::move(words));
  }
}

void Store::GiveBackMemory() {
  for (const auto& shard : shards_) {
    bool is_compact = false;
    while (!is_compact) {
      std::lock_guard lock(shard->mutex);
      is_compact = shard->entries.Compact(kCompacted, kUnusedPartWhenWanted) == 0;
    }
  }
  for (const auto& memory : memories_)
    memory->arena.GiveBack();
}

EntryCounts Store::Counts(size_t group) {
  EntryCounts sum;
  for (const auto& shard : shards_) {
    std::lock_guard lock(shard->mutex);
    sum.Add(shard->entries.Counts(group));
  }
  return sum;
}

size_t Store::HolderRecords() {
  size_t sum = 0;
  for (const auto& shard : shards_) {
    std::lock_guard lock(shard->mutex);
    sum += shard->holders.size();
  }
  return sum;
}

uint64_t Store::used(ChargeKind kind) const {
  uint64_t sum = 0;
  for (const auto& budget : budgets_)
    sum += budget->used(kind);
  return sum;
}

}  // namespace cistern::cache
