// Hits that take no lock: which do, and that they see nothing that is half of one and half of
// another.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

using cache::Found;
using cache::Key;
using cache::ShardLock;

// With ThreadSanitizer every reader takes the lock.
bool ReadersTakeTheLock() {
  return ShardLock().version() % 2 != 0;
}

TEST(ShardLock, HasAnotherVersionOnceItWasHeld) {
  if (ReadersTakeTheLock()) GTEST_SKIP();
  ShardLock lock;
  const uint64_t before = lock.version();
  EXPECT_EQ(before % 2, 0U);
  EXPECT_TRUE(lock.IsStill(before));
  lock.lock();
  EXPECT_EQ(lock.version() % 2, 1U);
  EXPECT_FALSE(lock.IsStill(before));
  lock.unlock();
  EXPECT_EQ(lock.version() % 2, 0U);
  EXPECT_FALSE(lock.IsStill(before));
}

TEST(ShardLock, OneThreadHasItAtATime) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 20'000;
  ShardLock lock;
  int times = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kTimes; ++n) {
        const std::lock_guard held(lock);
        ++times;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(times, kThreads * kTimes);
}

class UnlockedHit : public ::testing::Test {
 protected:
  void Put(std::string_view key, std::string value, cache::Instant expires = cache::kNever) {
    cache::NewEntry fresh;
    fresh.key = key;
    fresh.hash = cache::HashKey(key);
    fresh.expires = expires;
    fresh.value = cache::MakeBlob(value);
    cache::Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    shard.entries.Put(fresh);
  }
  void Erase(std::string_view key) {
    cache::Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    if (cache::Entry* entry = shard.entries.FindAny(key, cache::HashKey(key)))
      shard.entries.Erase(entry);
  }
  std::optional<std::string> Get(std::string_view key, bool touches = true) {
    std::optional<std::string> value;
    cache_.FindOne(
        *cluster_[0].executor, Key::Of(key), cluster_.clock.Now(),
        [&](const Found& found) { value = found.value; }, touches);
    return value;
  }
  // Whether `read` takes the lock of the key's shard.
  template <class Read>
  bool Locks(std::string_view key, Read read) {
    const uint64_t before = ShardOf(key).mutex.version();
    read();
    return ShardOf(key).mutex.version() != before;
  }
  cache::Shard& ShardOf(std::string_view key) {
    return cache_.store().ShardOf(cache::HashKey(key));
  }

  FakeCluster cluster_{1};
  cache::Cache& cache_ = *cluster_[0].cache;
};

TEST_F(UnlockedHit, TakesNoLockOnceThereIsNothingToNote) {
  if (ReadersTakeTheLock()) GTEST_SKIP();
  Put("key", "value");
  EXPECT_TRUE(Locks("key", [&] { Get("key"); })) << "the first hit is to be noted";
  for (int i = 0; i < 9; ++i)
    Get("key");
  EXPECT_FALSE(Locks("key", [&] { EXPECT_EQ(Get("key"), "value"); }));
}

TEST_F(UnlockedHit, TakesNoLockWhereItDoesNotTouch) {
  if (ReadersTakeTheLock()) GTEST_SKIP();
  Put("key", "value");
  EXPECT_FALSE(Locks("key", [&] { EXPECT_EQ(Get("key", false), "value"); }));
}

TEST_F(UnlockedHit, IsCountedLikeAnyOther) {
  Put("key", "value");
  for (int i = 0; i < 20; ++i)
    Get("key");
  EXPECT_EQ(cluster_.stats(0).hits_main.value(), 20U);
  EXPECT_EQ(cluster_.stats(0).gets.value(), 20U);
}

TEST_F(UnlockedHit, IsNoneOfWhatIsOver) {
  Put("key", "value", cluster_.clock.Now() + 1s);
  EXPECT_EQ(Get("key", false), "value");
  cluster_.clock.Advance(1s);
  EXPECT_EQ(Get("key", false), std::nullopt);
}

TEST_F(UnlockedHit, IsNoneOfWhatWasPurged) {
  Put("key", "value");
  EXPECT_EQ(Get("key", false), "value");
  cache_.store().marks().RaiseGroup(0);
  EXPECT_EQ(Get("key", false), std::nullopt);
}

TEST_F(UnlockedHit, BringsKeysAndValuesOfAllLengths) {
  for (const size_t key_size : {1, 16, 100, 253, 254, 255, 300, 4000}) {
    for (const size_t value_size : {0, 1, 32, 200, 480, 496, 512, 1000, 4096, 10'000}) {
      const std::string key(key_size, 'k');
      const std::string value(value_size, 'v');
      Put(key, value);
      EXPECT_EQ(Get(key, false), value);
    }
  }
}

// Entries come, go and change in the same few slots while they are read. A value says in each of
// its bytes how long it is, so one that is made of two is known.
TEST_F(UnlockedHit, SeesAValueWholeHoweverItChangesMeanwhile) {
  constexpr int kKeys = 4;
  constexpr int kChanges = 100'000;
  const auto key_of = [](int i) { return "key:" + std::to_string(i % kKeys); };
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < kChanges; ++i) {
      const size_t size = 1 + static_cast<size_t>(i * 7 % 250);
      Put(key_of(i), std::string(size, static_cast<char>(size)));
      if (i % 5 == 0) Erase(key_of(i / 5));
    }
    done = true;
  });
  int found = 0;
  int broken = 0;
  for (int i = 0; !done || found == 0; ++i) {
    const auto value = Get(key_of(i), false);
    if (!value) continue;
    ++found;
    const auto size = static_cast<char>(value->size());
    broken += std::all_of(value->begin(), value->end(), [=](char c) { return c == size; }) ? 0 : 1;
  }
  writer.join();
  EXPECT_EQ(broken, 0);
}

}  // namespace
}  // namespace cistern::test
