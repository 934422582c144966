// Entries, their index, what they cost, and which of them go.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <unordered_map>

#include "cache/lru.h"
#include "tests/cache/fake_cluster.h"
#include "tests/cache/slots.h"

namespace cistern::test {
namespace {

using cache::Entry;
using cache::NewEntry;

TEST(Entry, CarriesVersionSoftTtlAndEndOnlyWherePresent) {
  Slots slots;
  NewEntry fresh;
  fresh.key = "key";
  fresh.value = cache::MakeBlob("value");
  Entry* plain = slots.Make(fresh);
  fresh.version = "etag-1";
  fresh.refresh_from = cache::Instant(5s);
  fresh.expires = cache::Instant(6s);
  Entry* rich = slots.Make(fresh);
  for (Entry* entry : {plain, rich}) {
    EXPECT_EQ(entry->key(), "key");
    EXPECT_EQ(entry->value(), "value");
  }
  EXPECT_EQ(plain->version(), "");
  EXPECT_EQ(plain->refresh_from(), cache::kNever);
  EXPECT_EQ(plain->expires(), cache::kNever);
  EXPECT_FALSE(plain->set_expires(cache::Instant(7s)));
  EXPECT_EQ(rich->version(), "etag-1");
  EXPECT_EQ(rich->refresh_from(), cache::Instant(5s));
  EXPECT_EQ(rich->expires(), cache::Instant(6s));
  EXPECT_TRUE(rich->set_expires(cache::Instant(7s)));
  EXPECT_EQ(rich->expires(), cache::Instant(7s));
  EXPECT_GT(rich->charge(), plain->charge());
  slots.Free(plain);
  slots.Free(rich);
}

TEST(Entry, OneOf48BytesTakesACacheLine) {
  Slots slots;
  Entry* entry = slots.Make("sixteen bytes ha", std::string(32, 'v'));
  EXPECT_EQ(entry->charge(), 64U);
  slots.Free(entry);
}

TEST(Entry, KeysAndValuesOfAllLengthsComeBack) {
  Slots slots;
  for (const size_t key_size : {0, 1, 253, 254, 255, 2048, 2049, 65536}) {
    for (const size_t value_size : {0, 1, 1000, 2000, 3800, 4080, 4096, 5000, 100'000}) {
      NewEntry fresh;
      const std::string key(key_size, 'k');
      fresh.key = key;
      fresh.value = cache::MakeBlob(std::string(value_size, 'v'));
      fresh.version = "7";
      Entry* entry = slots.Make(fresh);
      EXPECT_EQ(entry->key(), key);
      EXPECT_EQ(entry->value(), fresh.value->bytes());
      EXPECT_EQ(entry->version(), "7");
      EXPECT_LE(entry->charge(), cache::kLargestSlot);
      EXPECT_EQ(entry->value().data() == fresh.value->bytes().data(), entry->blob() != nullptr);
      slots.Free(entry);
    }
  }
}

TEST(Index, HoldsWhatAMapHoldsUnderRandomInsertsAndRemovals) {
  Slots slots(64 << 20);
  cache::Index index(slots.slabs, 0);
  std::unordered_map<std::string, Entry*> model;
  std::mt19937 random(7);
  for (int step = 0; step < 300'000; ++step) {
    const std::string key = "k" + std::to_string(random() % 50'000);
    const uint64_t hash = cache::HashKey(key);
    const auto at = model.find(key);
    ASSERT_EQ(index.Find(key, hash), at == model.end() ? nullptr : at->second);
    if (at == model.end()) {
      NewEntry fresh;
      fresh.key = key;
      Entry* entry = slots.Make(fresh);
      EXPECT_TRUE(index.Insert(entry, hash));
      model.emplace(key, entry);
    } else {
      index.Remove(at->second, hash);
      slots.Free(at->second);
      model.erase(at);
    }
    ASSERT_EQ(index.size(), model.size());
  }
  std::set<Entry*> seen;
  uint64_t cursor = 0;
  do {
    index.VisitBucket(&cursor, [&](Entry* entry) { EXPECT_TRUE(seen.insert(entry).second); });
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), model.size());
  for (auto& [key, entry] : model)
    slots.Free(entry);
}

TEST(Index, IsFilledBetween60And87PercentAtAnySize) {
  Slots slots(64 << 20);
  cache::Index index(slots.slabs, 4);
  std::vector<Entry*> entries;
  for (int i = 0; i < 200'000; ++i) {
    NewEntry fresh;
    const std::string key = std::to_string(i);
    fresh.key = key;
    entries.push_back(slots.Make(fresh));
    ASSERT_TRUE(index.Insert(entries.back(), cache::HashKey(key) >> 4));
    if (i % 1000 != 0 || i < 20'000) continue;
    const double filled =
        static_cast<double>(index.size()) / static_cast<double>(12 * index.buckets());
    ASSERT_GT(filled, 0.60) << i;
    ASSERT_LT(filled, 0.87) << i;
  }
  for (Entry* entry : entries)
    slots.Free(entry);
}

TEST(Index, WhatIsThereAllTheTimeIsVisitedThoughTheIndexGrows) {
  Slots slots(64 << 20);
  cache::Index index(slots.slabs, 0);
  std::vector<Entry*> entries;
  const auto add = [&] {
    NewEntry fresh;
    const std::string key = std::to_string(entries.size());
    fresh.key = key;
    entries.push_back(slots.Make(fresh));
    ASSERT_TRUE(index.Insert(entries.back(), cache::HashKey(key)));
  };
  while (entries.size() < 3000)
    add();
  std::set<std::string_view> seen;
  uint64_t cursor = 0;
  do {
    index.VisitBucket(&cursor, [&](Entry* entry) { seen.insert(entry->key()); });
    for (int i = 0; i < 30; ++i)
      add();
  } while (cursor != 0);
  EXPECT_GT(entries.size(), 10'000U);
  for (int i = 0; i < 3000; ++i)
    EXPECT_TRUE(seen.contains(std::to_string(i))) << i;
  for (Entry* entry : entries)
    slots.Free(entry);
}

TEST(Index, KeysWithOneHashAreToldApart) {
  Slots slots;
  cache::Index index(slots.slabs, 0);
  std::vector<Entry*> entries;
  for (int i = 0; i < 300; ++i) {  // more than overflow counters can count
    entries.push_back(slots.Make("k" + std::to_string(i), "v"));
    index.Insert(entries.back(), 42);
  }
  for (Entry* entry : entries)
    EXPECT_EQ(index.Find(entry->key(), 42), entry);
  EXPECT_EQ(index.Find("other", 42), nullptr);
  for (Entry* entry : entries) {
    index.Remove(entry, 42);
    EXPECT_EQ(index.Find(entry->key(), 42), nullptr);
    slots.Free(entry);
  }
}

TEST(Lru, EvictsTheLeastRecentlyUsedInOrder) {
  Slots slots;
  cache::Lru lru(slots.arena);
  std::vector<Entry*> entries;
  for (const char* key : {"a", "b", "c", "d"}) {
    entries.push_back(slots.Make(key, "v"));
    lru.Insert(entries.back(), entries.back()->hash());
  }
  lru.Hit(entries[0], entries[0]->hash());
  lru.Remove(entries[2]);
  EXPECT_EQ(lru.Evict(), entries[1]);
  EXPECT_EQ(lru.Evict(), entries[3]);
  EXPECT_EQ(lru.Evict(), entries[0]);
  EXPECT_EQ(lru.Evict(), nullptr);
  for (Entry* entry : entries)
    slots.Free(entry);
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
    fresh.value = cache::MakeBlob(value);
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
  cache::BlobPtr pin(s.Find("k")->blob());
  s.store->ShardOf(cache::HashKey("k")).entries.Erase(s.Find("k"));
  EXPECT_GE(s.store->budget().used(), empty + 10'000);
  pin = nullptr;
  EXPECT_EQ(s.store->budget().used(), empty);
}

TEST(Store, StaysWithinItsMemoryAndKeepsWhatIsUsed) {
  TestStore s(4 << 20);
  s.Put("favourite", "v");
  for (int i = 0; i < 50'000; ++i) {
    s.Put("k" + std::to_string(i), std::string(200, 'x'));
    auto& entries = s.store->ShardOf(cache::HashKey("favourite")).entries;
    if (Entry* favourite = s.Find("favourite")) entries.Hit(favourite, cache::HashKey("favourite"));
  }
  EXPECT_LE(s.store->budget().used(), uint64_t{4 << 20});
  EXPECT_GT(s.store->budget().used(), uint64_t{3 << 20});
  EXPECT_NE(s.Find("favourite"), nullptr);
  EXPECT_EQ(s.Find("k0"), nullptr);
  EXPECT_GT(s.store->Counts(0).evictions(cache::Role::kMain), 30'000u);
}

TEST(Store, MemoryIsReturnedToOtherSizesWhenTheMixOfSizesChanges) {
  constexpr uint64_t kMemory = 8 << 20;
  TestStore s(kMemory);
  ManualClock clock;
  for (const size_t size : {30, 400, 90, 2000, 30}) {
    const int count = static_cast<int>(4 * kMemory / (size + 60));
    for (int i = 0; i < count; ++i) {
      s.Put(std::to_string(size) + "/" + std::to_string(i), std::string(size, 'x'));
      if (i % 100 == 0) s.store->Reclaim(0, 1, clock);
    }
    EXPECT_GT(s.store->Counts(0).bytes(cache::Role::kMain), kMemory * 3 / 4) << size;
    for (int i = count - 100; i < count; ++i)
      EXPECT_NE(s.Find(std::to_string(size) + "/" + std::to_string(i)), nullptr) << size;
  }
}

TEST(Store, MemoryBeyondWhatAReferenceCanNameIsSeveralArenas) {
  TestStore s(uint64_t{40} << 30);
  EXPECT_EQ(s.store->arenas(), 2u);
  for (int i = 0; i < 10'000; ++i)
    s.Put("k" + std::to_string(i), std::to_string(i));
  for (int i = 0; i < 10'000; ++i)
    ASSERT_EQ(s.Find("k" + std::to_string(i))->value(), std::to_string(i));
  EXPECT_EQ(TestStore(uint64_t{1} << 30).store->arenas(), 1u);
}

TEST(Store, MovesNothingThatSomebodyCouldMiss) {
  TestStore s(16 << 20);
  std::set<int> kept;
  for (int i = 0; i < 60'000; ++i)
    s.Put(std::to_string(i), "value " + std::to_string(i) + std::string(i % 60, '.'));
  for (int i = 0; i < 60'000; ++i) {
    if (i % 5 == 0) continue;
    const std::string key = std::to_string(i);
    s.store->ShardOf(cache::HashKey(key)).entries.Erase(s.Find(key));
  }
  s.store->GiveBackMemory();
  for (int i = 0; i < 60'000; i += 5) {
    const Entry* entry = s.Find(std::to_string(i));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->value(), "value " + std::to_string(i) + std::string(i % 60, '.'));
  }
  // All of them can be evicted still.
  EXPECT_FALSE(s.store->MakeRoomFor(uint64_t{16} << 20));
  EXPECT_EQ(s.store->Counts(0).items(cache::Role::kMain), 0u);
}

TEST(EntryTable, EntriesMoveTogetherOnlyWhereAsMuchIsUnusedAsTheCallerMinds) {
  Slots slots(16 << 20);
  cache::Budget budget(16 << 20);
  cache::Account account(budget, 0, "lru");
  cache::Account* accounts[] = {&account};
  const uint16_t account_of[] = {0};
  const cache::Watermarks marks(1);
  cache::EntryTable table({0, accounts, account_of, marks, slots.pages, 0});
  for (int i = 0; i < 4000; ++i) {
    NewEntry fresh;
    const std::string key = std::to_string(i);
    fresh.key = key;
    fresh.hash = cache::HashKey(key);
    fresh.value = cache::MakeBlob(std::string(2000, 'v'));
    table.Put(fresh);
  }
  const uint64_t full = slots.arena.counts().taken;
  for (int i = 0; i < 4000; i += 20) {
    const std::string key = std::to_string(i);
    table.Erase(table.FindAny(key, cache::HashKey(key)));
  }
  EXPECT_EQ(table.Compact(16, 8), 0U);
  EXPECT_GT(slots.arena.counts().taken, full * 98 / 100);
  while (table.Compact(16, 64) > 0) {
  }
  EXPECT_LT(slots.arena.counts().taken, full * 97 / 100);
}

TEST(Store, AFlushHoldsThoughMarksComeRoundBeforeTheSweepHasPassed) {
  TestStore s(4 << 20);
  s.Put("k", "v");
  for (int i = 0; i < (1 << 16); ++i)
    s.store->marks().RaiseGroup(0);
  EXPECT_EQ(s.Find("k"), nullptr);
  NewEntry fresh;
  fresh.mark = s.store->marks().Of(0, cache::Role::kMain);
  s.Put("k", "v", fresh);
  EXPECT_NE(s.Find("k"), nullptr);
  EXPECT_EQ(s.store->Counts(0).items(cache::Role::kMain), 1u);
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
