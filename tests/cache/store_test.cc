// Entries, their index, what they cost, and which of them go.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <unordered_map>

#include "cache/lru.h"
#include "tests/cache/fake_cluster.h"

namespace cistern::test {
namespace {

using cache::Entry;
using cache::NewEntry;

Entry* MakeEntry(std::string_view key, std::string value) {
  NewEntry fresh;
  fresh.key = key;
  fresh.hash = cache::HashKey(key);
  fresh.value = cache::MakeBlob(std::move(value));
  return Entry::Make(fresh);
}

TEST(Entry, CarriesVersionAndSoftTtlOnlyWherePresent) {
  NewEntry fresh;
  fresh.key = "key";
  fresh.value = cache::MakeBlob("value");
  Entry* plain = Entry::Make(fresh);
  fresh.version = "etag-1";
  fresh.refresh_from = cache::Instant(5s);
  Entry* rich = Entry::Make(fresh);
  for (Entry* entry : {plain, rich}) {
    EXPECT_EQ(entry->key(), "key");
    EXPECT_EQ(entry->value(), "value");
  }
  EXPECT_EQ(plain->version(), "");
  EXPECT_EQ(plain->refresh_from(), cache::kNever);
  EXPECT_EQ(rich->version(), "etag-1");
  EXPECT_EQ(rich->refresh_from(), cache::Instant(5s));
  EXPECT_GT(rich->charge(), plain->charge());
  Entry::Free(plain);
  Entry::Free(rich);
}

TEST(Entry, ValuesAbove4KiBAreBlobsWhateverTheKeysAlignment) {
  for (size_t key_size = 0; key_size < 20; ++key_size) {
    const std::string key(key_size, 'k');
    Entry* small = MakeEntry(key, std::string(4096, 's'));
    Entry* large = MakeEntry(key, std::string(4097, 'l'));
    EXPECT_FALSE(small->blob());
    ASSERT_TRUE(large->blob());
    EXPECT_EQ(large->value().size(), 4097u);
    EXPECT_EQ(large->key(), key);
    Entry::Free(small);
    Entry::Free(large);
  }
}

TEST(Index, HoldsWhatAMapHoldsUnderRandomInsertsAndRemovals) {
  cache::Index index;
  std::unordered_map<std::string, Entry*> model;
  std::mt19937 random(7);
  for (int step = 0; step < 200'000; ++step) {
    const std::string key = "k" + std::to_string(random() % 5000);
    const uint64_t hash = cache::HashKey(key);
    const auto at = model.find(key);
    EXPECT_EQ(index.Find(key, hash), at == model.end() ? nullptr : at->second);
    if (at == model.end()) {
      Entry* entry = MakeEntry(key, "v");
      index.Insert(entry);
      model.emplace(key, entry);
    } else {
      index.Remove(at->second);
      Entry::Free(at->second);
      model.erase(at);
    }
    ASSERT_EQ(index.size(), model.size());
  }
  std::set<Entry*> seen;
  size_t cursor = 0;
  do {
    index.VisitBucket(&cursor, [&](Entry* entry) { EXPECT_TRUE(seen.insert(entry).second); });
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), model.size());
  for (auto& [key, entry] : model)
    Entry::Free(entry);
}

TEST(Index, KeysWithOneHashAreToldApart) {
  cache::Index index;
  std::vector<Entry*> entries;
  for (int i = 0; i < 300; ++i) {  // more than overflow counters can count
    NewEntry fresh;
    const std::string key = "k" + std::to_string(i);
    fresh.key = key;
    fresh.hash = 42;
    fresh.value = cache::MakeBlob("v");
    entries.push_back(Entry::Make(fresh));
    index.Insert(entries.back());
  }
  for (Entry* entry : entries)
    EXPECT_EQ(index.Find(entry->key(), 42), entry);
  EXPECT_EQ(index.Find("other", 42), nullptr);
  for (Entry* entry : entries) {
    index.Remove(entry);
    EXPECT_EQ(index.Find(entry->key(), 42), nullptr);
    Entry::Free(entry);
  }
}

TEST(Lru, EvictsTheLeastRecentlyUsedInOrder) {
  cache::Lru lru;
  std::vector<Entry*> entries;
  for (const char* key : {"a", "b", "c", "d"}) {
    entries.push_back(MakeEntry(key, "v"));
    lru.Insert(entries.back());
  }
  lru.Hit(entries[0]);
  lru.Remove(entries[2]);
  EXPECT_EQ(lru.Evict(), entries[1]);
  EXPECT_EQ(lru.Evict(), entries[3]);
  EXPECT_EQ(lru.Evict(), entries[0]);
  EXPECT_EQ(lru.Evict(), nullptr);
  for (Entry* entry : entries)
    Entry::Free(entry);
}

struct TestStore {
  explicit TestStore(uint64_t memory, std::vector<cache::GroupConfig> of = {{}})
      : groups(std::move(of)) {
    for (auto& group : groups)
      views.push_back(&group);
    cache::Store::Options options;
    options.memory = memory;
    store = std::make_unique<cache::Store>(options, views);
  }
  void Put(std::string_view key, std::string value, NewEntry fresh = {}) {
    fresh.key = key;
    fresh.hash = cache::HashKey(key);
    fresh.value = cache::MakeBlob(std::move(value));
    PutEntry(fresh);
  }
  void PutEntry(const NewEntry& fresh) {
    store->ShardOf(fresh.hash).entries.Put(fresh);
    store->MakeRoom(fresh.group);
  }
  Entry* Find(std::string_view key, cache::Instant now = cache::Instant(0s)) {
    const uint64_t hash = cache::HashKey(key);
    return store->ShardOf(hash).entries.Find(key, hash, now);
  }
  std::vector<cache::GroupConfig> groups;
  std::vector<const cache::GroupConfig*> views;
  std::unique_ptr<cache::Store> store;
};

TEST(Store, ChargesAreExactThroughPutReplaceAndErase) {
  TestStore s(64 << 20);
  const uint64_t empty = s.store->budget().used();
  s.Put("k", std::string(100, 'x'));
  s.Put("k", std::string(10, 'x'));
  s.Put("k", std::string(10'000, 'x'));
  s.Put("k2", std::string(1000, 'x'));
  uint64_t entries = 0;
  for (const char* key : {"k", "k2"}) {
    entries += s.Find(key)->charge() + (s.Find(key)->blob() ? s.Find(key)->blob()->charge() : 0);
  }
  EXPECT_EQ(s.store->budget().used(), empty + entries);
  EXPECT_EQ(s.store->Counts(0).bytes(cache::Role::kMain), entries);
  EXPECT_EQ(s.store->Counts(0).items(cache::Role::kMain), 2u);
  for (const char* key : {"k", "k2"}) {
    s.store->ShardOf(cache::HashKey(key)).entries.Erase(s.Find(key));
  }
  EXPECT_EQ(s.store->budget().used(), empty);
}

TEST(Store, AnErasedLargeValueIsChargedUntilItsLastPinGoes) {
  TestStore s(64 << 20);
  const uint64_t empty = s.store->budget().used();
  s.Put("k", std::string(10'000, 'x'));
  cache::BlobPtr pin = s.Find("k")->blob();
  s.store->ShardOf(cache::HashKey("k")).entries.Erase(s.Find("k"));
  EXPECT_GE(s.store->budget().used(), empty + 10'000);
  pin.reset();
  EXPECT_EQ(s.store->budget().used(), empty);
}

TEST(Store, StaysWithinItsMemoryAndKeepsWhatIsUsed) {
  TestStore s(4 << 20);
  s.Put("favourite", "v");
  for (int i = 0; i < 50'000; ++i) {
    s.Put("k" + std::to_string(i), std::string(200, 'x'));
    auto& entries = s.store->ShardOf(cache::HashKey("favourite")).entries;
    if (Entry* favourite = s.Find("favourite")) entries.Hit(favourite);
  }
  EXPECT_LE(s.store->budget().used(), uint64_t{4 << 20});
  EXPECT_GT(s.store->budget().used(), uint64_t{3 << 20});
  EXPECT_NE(s.Find("favourite"), nullptr);
  EXPECT_EQ(s.Find("k0"), nullptr);
  EXPECT_GT(s.store->Counts(0).evictions(cache::Role::kMain), 30'000u);
}

TEST(Store, AGroupsOwnMemoryIsCarvedOutOfTheProcesss) {
  cache::GroupConfig shared;
  cache::GroupConfig own;
  own.memory = 1 << 20;
  TestStore s(4 << 20, {shared, own});
  s.Put("shared", "v");
  NewEntry to_own;
  to_own.group = 1;
  for (int i = 0; i < 20'000; ++i)
    s.Put("k" + std::to_string(i), std::string(200, 'x'), to_own);
  EXPECT_LE(s.store->Counts(1).bytes(cache::Role::kMain), uint64_t{1 << 20});
  EXPECT_EQ(s.store->budget().limit(), uint64_t{3 << 20});
  EXPECT_NE(s.Find("shared"), nullptr);
}

TEST(Store, HotCopiesAboveTheirShareGoFirst) {
  TestStore s(4 << 20);
  for (int i = 0; i < 3000; ++i)
    s.Put("main" + std::to_string(i), std::string(500, 'x'));
  const uint64_t main_items = s.store->Counts(0).items(cache::Role::kMain);
  NewEntry hot;
  hot.role = cache::Role::kHot;
  for (int i = 0; i < 20'000; ++i)
    s.Put("hot" + std::to_string(i), std::string(500, 'x'), hot);
  const cache::EntryCounts counts = s.store->Counts(0);
  EXPECT_GT(counts.evictions(cache::Role::kHot), 10'000u);
  EXPECT_GT(counts.items(cache::Role::kMain), main_items / 2);
  EXPECT_EQ(counts.evictions(cache::Role::kMain), main_items - counts.items(cache::Role::kMain));
}

TEST(Store, NotFoundKeepsToItsShareSoRandomKeysPushOutNothingReal) {
  TestStore s(4 << 20);
  for (int i = 0; i < 3000; ++i)
    s.Put("main" + std::to_string(i), std::string(500, 'x'));
  for (int i = 0; i < 50'000; ++i) {
    const std::string key = "random" + std::to_string(i);
    NewEntry negative;
    negative.key = key;
    negative.hash = cache::HashKey(key);
    s.PutEntry(negative);
  }
  EXPECT_EQ(s.store->Counts(0).evictions(cache::Role::kMain), 0u);
  EXPECT_LE(s.store->account(0).negative_bytes.load(), uint64_t{4 << 20} / 16);
  EXPECT_EQ(s.store->Counts(0).items(cache::Role::kMain), 3000u);
  EXPECT_GT(s.store->Counts(0).negatives(), 1000u) << "some are kept";
}

TEST(Store, ExpiredEntriesAreReclaimedWithoutBeingAskedFor) {
  TestStore s(64 << 20);
  const uint64_t empty_items = s.store->Counts(0).items(cache::Role::kMain);
  NewEntry brief;
  ManualClock clock;
  brief.expires = clock.Now() + 1s;
  for (int i = 0; i < 1000; ++i)
    s.Put("brief" + std::to_string(i), "v", brief);
  s.Put("lasting", "v");
  for (int i = 0; i < 50; ++i)
    s.store->Reclaim(0, 1, clock);
  EXPECT_EQ(s.store->Counts(0).items(cache::Role::kMain), 1001u);
  clock.Advance(1s);
  for (int i = 0; i < 500; ++i)
    s.store->Reclaim(0, 1, clock);
  EXPECT_EQ(s.store->Counts(0).items(cache::Role::kMain), empty_items + 1);
  EXPECT_EQ(s.store->Counts(0).expirations, 1000u);
  // What comes after a round that found nothing left is found, too.
  brief.expires = clock.Now() + 1s;
  for (int i = 0; i < 1000; ++i)
    s.Put("brief" + std::to_string(i), "v", brief);
  clock.Advance(1s);
  for (int i = 0; i < 500; ++i)
    s.store->Reclaim(0, 1, clock);
  EXPECT_EQ(s.store->Counts(0).items(cache::Role::kMain), empty_items + 1);
}

}  // namespace
}  // namespace cistern::test
