// What one operation may cost however much the store holds: it touches few entries, and no page of
// memory that nobody has touched before.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cache/store.h"

namespace cistern::cache {
namespace {

constexpr Instant kNow{std::chrono::seconds(1)};

class GrowthTest : public ::testing::TestWithParam<const char*> {
 protected:
  void Make(uint64_t memory) {
    group_.has_backend = false;
    Store::Options options;
    options.memory = memory;
    options.policy = GetParam();
    store_ = std::make_unique<Store>(options, views_);
  }
  // Of so many keys the one with this number.
  static std::string_view KeyOf(uint64_t number, std::span<char> text) {
    text[0] = 'k';
    const auto end = std::to_chars(text.data() + 1, text.data() + text.size(), number).ptr;
    return {text.data(), static_cast<size_t>(end - text.data())};
  }
  // Returns how many entries its critical section touched, or the eviction after it.
  uint64_t Put(uint64_t number, size_t value_bytes) {
    std::array<char, 32> text;
    NewEntry fresh;
    fresh.key = KeyOf(number, text);
    fresh.hash = HashKey(fresh.key);
    fresh.value = MakeBlob(std::string(value_bytes, 'v'));
    Shard& shard = store_->ShardOf(fresh.hash);
    const uint64_t before = Touched();
    {
      const std::lock_guard lock(shard.mutex);
      shard.entries.Put(fresh);
    }
    const uint64_t between = Touched();
    store_->MakeRoom(0);
    return std::max(between - before, Touched() - between);
  }
  void Hit(uint64_t number) {
    std::array<char, 32> text;
    const std::string_view key = KeyOf(number, text);
    const uint64_t hash = HashKey(key);
    Shard& shard = store_->ShardOf(hash);
    const std::lock_guard lock(shard.mutex);
    if (Entry* entry = shard.entries.Find(key, hash, kNow)) shard.entries.Hit(entry, hash);
  }
  uint64_t Touched() {
    uint64_t sum = 0;
    for (size_t i = 0; i < store_->shards(); ++i)
      sum += store_->shard(i).entries.touched();
    return sum;
  }
  uint64_t Evictions() { return store_->Counts(0).evictions(Role::kMain); }

  GroupConfig group_;
  std::array<const GroupConfig*, 1> views_{&group_};
  std::unique_ptr<Store> store_;
};

// Every entry has been hit when the room runs out, and what comes then is larger: pages are vacated
// as well.
TEST_P(GrowthTest, NoInsertionTouchesMoreThan700Entries) {
  Make(16 << 20);
  uint64_t most = 0;
  uint64_t number = 0;
  const auto put = [&](size_t value_bytes) { most = std::max(most, Put(++number, value_bytes)); };
  while (Evictions() == 0) {
    put(32);
    for (int i = 0; i < 3; ++i)
      Hit(number);
  }
  EXPECT_GT(number, 100'000U);
  EXPECT_GT(most, 500U) << "segments have grown";
  for (int i = 0; i < 20'000; ++i)
    put(i % 1500);
  for (int i = 0; i < 100'000; ++i)
    put(40);
  EXPECT_LE(most, EntryTable::kMostTouched);
}

// In production the preparer has the time between requests. Here it is waited for.
class PreparedGrowthTest : public GrowthTest {
 protected:
  class Preparer {
   public:
    explicit Preparer(Store& store)
        : thread_([&store](const std::stop_token& stop) { store.PrepareMemory(stop); }) {}

   private:
    std::jthread thread_;
  };

  void Evict(uint64_t entries) {
    while (Evictions() < entries)
      Put(++number_, 32);
  }
  // As an insertion may, of a shard that the preparer looks at.
  static void WaitForALock() {
    ShardLock lock;
    lock.lock();
    std::jthread other([&lock] { const std::lock_guard held(lock); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    lock.unlock();
  }
  void UntilPrepared() {
    while (!store_->is_memory_prepared())
      std::this_thread::yield();
  }
  // Page faults of this thread in so many insertions of new keys.
  long Faults(int insertions) {
    const uint64_t waited = store_->waits_for_memory();
    long faults = 0;
    for (int i = 0; i < insertions; ++i) {
      if (i % 1000 == 0) UntilPrepared();
      const long before = FaultsOfThread();
      Put(++number_, 32);
      faults += FaultsOfThread() - before;
    }
    EXPECT_EQ(store_->waits_for_memory(), waited);
    return faults;
  }
  static long FaultsOfThread() {
    rusage usage;
    EXPECT_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
    return usage.ru_minflt + usage.ru_majflt;
  }

  uint64_t number_ = 0;
};

// A busy kernel takes back pages that were not touched for a while: a fault or two in a million
// insertions are its own. Those of an insertion come in every round.
TEST_P(PreparedGrowthTest, NoInsertionFaultsAPage) {
  {  // The program's code, the stack, and malloc's first memory are touched once.
    Make(8 << 20);
    const Preparer preparer(*store_);
    Evict(50'000);
    WaitForALock();
  }
  long growing = 0;
  long evicting = 0;
  for (int round = 0; round == 0 || (round < 3 && growing + evicting > 0); ++round) {
    Make(64 << 20);
    const Preparer preparer(*store_);
    Faults(1000);
    growing = Faults(500'000);
    Evict(1);
    evicting = Faults(500'000);
    EXPECT_GT(Evictions(), 400'000U);
  }
  EXPECT_EQ(growing, 0);
  EXPECT_EQ(evicting, 0);
}

INSTANTIATE_TEST_SUITE_P(Policies, GrowthTest,
                         testing::Values("adaptive", "s3fifo", "lru", "lfu", "fifo", "arc"),
                         [](const auto& of) { return std::string(of.param); });
INSTANTIATE_TEST_SUITE_P(Policies, PreparedGrowthTest,
                         testing::Values("adaptive", "s3fifo", "lru", "lfu", "fifo"),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace cistern::cache
