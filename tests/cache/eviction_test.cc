// Which entries the policies let go, and what they remember of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <set>

#include "cache/eviction_policy.h"
#include "cache/ghosts.h"
#include "cache/key.h"
#include "cache/lfu.h"
#include "cache/s3fifo_shadow.h"
#include "cache/s3fifo_sums.h"
#include "cache/s3fifo_tuner.h"
#include "tests/cache/slots.h"

namespace cistern::test {
namespace {

using cache::Entry;
using cache::EvictionPolicy;
using cache::Ghosts;
using cache::PolicyCounts;
using cache::S3FifoRule;
using cache::S3FifoShadow;
using cache::S3FifoSums;
using cache::S3FifoTuner;

// A policy and the entries that it may be given, each weighing 1.
class Held {
 public:
  explicit Held(std::string_view policy, int entries = 100)
      : held(cache::MakePolicy(policy, {.arena = slots.arena,
                                        .tables = slots.slabs,
                                        .weigh = [](const Entry&) { return uint64_t{1}; },
                                        .counts = {&counts, 1},
                                        .sums = &sums,
                                        .tuner = &tuner})) {
    for (int i = 0; i < entries; ++i)
      all.push_back(slots.Make(std::to_string(i), "v"));
  }
  ~Held() {
    for (Entry* entry : all)
      slots.Free(entry);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  Entry* operator[](size_t i) { return all[i]; }
  void Insert(Entry* entry) { held->Insert(entry, entry->hash()); }
  void Hit(Entry* entry) { held->Hit(entry, entry->hash()); }
  void Remove(Entry* entry) { held->Remove(entry); }
  Entry* Evict() { return held->Evict(); }

  Slots slots;
  PolicyCounts counts;
  S3FifoSums sums{1};
  S3FifoTuner tuner;
  std::vector<Entry*> all;
  std::unique_ptr<EvictionPolicy> held;
};

constexpr std::array<std::string_view, 6> kPolicies{"adaptive", "s3fifo", "lru",
                                                    "lfu",      "fifo",   "arc"};

TEST(Policy, GivesBackEachEntryExactlyOnceWhateverHappens) {
  for (const std::string_view name : kPolicies) {
    Held held(name, 2000);
    std::set<Entry*> inside;
    std::mt19937 random(11);
    for (int step = 0; step < 100'000; ++step) {
      Entry* entry = held[random() % held.all.size()];
      if (!inside.contains(entry)) {
        held.Insert(entry);
        inside.insert(entry);
      } else if (random() % 8 == 0) {
        held.Remove(entry);
        inside.erase(entry);
      } else {
        held.Hit(entry);
      }
      while (inside.size() > 500)
        ASSERT_EQ(inside.erase(held.Evict()), 1u) << name;
    }
    while (Entry* victim = held.Evict())
      ASSERT_EQ(inside.erase(victim), 1u) << name;
    EXPECT_TRUE(inside.empty()) << name;
  }
}

TEST(Fifo, EvictsInTheOrderOfComing) {
  Held held("fifo");
  for (size_t i = 0; i < 3; ++i)
    held.Insert(held[i]);
  held.Hit(held[0]);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(held.Evict(), held[i]);
}

TEST(Lfu, EvictsWhatWasUsedLeastButForgetsOldFame) {
  Held held("lfu");
  held.Insert(held[0]);
  for (int i = 0; i < 5; ++i)
    held.Hit(held[0]);
  held.Insert(held[1]);
  held.Insert(held[2]);
  EXPECT_EQ(held.Evict(), held[1]);
  // Nobody asks for it any more: those who come and go overtake it.
  size_t next = 3;
  while (held.Evict() != held[0]) {
    ASSERT_LT(next, 20u);
    held.Insert(held[next++]);
  }
}

TEST(S3Fifo, NewcomersStayWhenHitTwiceAndComeBackAsGhosts) {
  Held held("s3fifo");
  for (size_t i = 0; i < 20; ++i)
    held.Insert(held[i]);
  held.Hit(held[0]);
  for (int i = 0; i < 2; ++i)
    held.Hit(held[1]);
  EXPECT_EQ(held.Evict(), held[0]);
  EXPECT_EQ(held.Evict(), held[2]);
  EXPECT_EQ(held.counts.promotions, 1u);
  held.Insert(held[2]);
  EXPECT_EQ(held.counts.ghost_hits, 1u);
  // It was no newcomer any more: all newcomers go before it.
  for (size_t i = 3; i < 20; ++i)
    EXPECT_EQ(held.Evict(), held[i]);
  held.Hit(held[1]);
  EXPECT_EQ(held.Evict(), held[2]);
  EXPECT_EQ(held.counts.reinsertions, 1u);
}

TEST(S3Fifo, AHitBeyondTheThirdWritesNothing) {
  Held held("s3fifo");
  held.Insert(held[0]);
  for (int i = 0; i < 3; ++i)
    held.Hit(held[0]);
  const uint8_t heat = held[0]->heat;
  held.Hit(held[0]);
  EXPECT_EQ(held[0]->heat, heat);
}

TEST(S3Fifo, AnEvictionIsShortThoughEverythingIsHot) {
  Held held("s3fifo", 2000);
  for (size_t i = 0; i < held.all.size(); ++i) {
    held.Insert(held[i]);
    for (int hits = 0; hits < 3; ++hits)
      held.Hit(held[i]);
  }
  EXPECT_NE(held.Evict(), nullptr);
  EXPECT_LE(held.counts.promotions + held.counts.reinsertions, 256u);
  EXPECT_GT(held.counts.promotions, 0u);
}

TEST(Arc, KeepsRoomForWhatWasUsedTwice) {
  Held held("arc");
  for (size_t i = 0; i < 10; ++i)
    held.Insert(held[i]);
  for (size_t i = 0; i < 5; ++i)
    held.Hit(held[i]);
  // A scan.
  for (size_t i = 10; i < 60; ++i) {
    Entry* victim = held.Evict();
    for (size_t kept = 0; kept < 5; ++kept)
      EXPECT_NE(victim, held[kept]);
    held.Insert(held[i]);
  }
  EXPECT_GT(held.held->bytes(), 0u);
}

TEST(Ghosts, AreRememberedAsLongAsTheirWindow) {
  Slots slots;
  Ghosts ghosts(slots.slabs);
  EXPECT_FALSE(ghosts.Take(1, 1));
  ghosts.Fit(1000, 1'000'000);
  std::mt19937_64 random(5);
  std::vector<uint64_t> hashes(3000);
  for (uint64_t& hash : hashes) {
    hash = random();
    ghosts.Add(hash, 1000);
  }
  size_t remembered = 0;
  for (size_t i = 2000; i < 3000; ++i)
    remembered += ghosts.Take(hashes[i], 1000) ? 1 : 0;
  EXPECT_GT(remembered, 950u);
  size_t wrongly = 0;
  for (size_t i = 0; i < 900; ++i)
    wrongly += ghosts.Take(hashes[i], 1000) ? 1 : 0;
  for (int i = 0; i < 10'000; ++i)
    wrongly += ghosts.Take(random(), 1000) ? 1 : 0;
  EXPECT_LT(wrongly, 50u);
  EXPECT_FALSE(ghosts.Take(hashes.back(), 1000)) << "taken once";
}

TEST(Ghosts, AreRememberedWhenThereIsRoomForMore) {
  Slots slots;
  Ghosts ghosts(slots.slabs);
  ghosts.Fit(1000, 10'000);
  std::mt19937_64 random(6);
  std::vector<uint64_t> hashes(800);
  for (uint64_t& hash : hashes) {
    hash = random();
    ghosts.Add(hash, 10);
  }
  const size_t bytes = ghosts.bytes();
  for (const size_t keys : {2000, 4000}) {
    ghosts.Fit(keys, 1'000'000'000);
    for (int i = 0; i < 2000; ++i)  // other keys come to all parts of the table
      ghosts.Take(random(), 10);
  }
  EXPECT_GT(ghosts.bytes(), 3 * bytes);
  EXPECT_LT(ghosts.bytes(), 30'000u);
  size_t remembered = 0;
  for (const uint64_t hash : hashes)
    remembered += ghosts.Take(hash, 10) ? 1 : 0;
  EXPECT_GT(remembered, 720u);
}

// They are made piece by piece, of slots that are there.
TEST(Ghosts, NeedNoRoomBeforeTheyComeAndDoWithoutWhereThereIsNone) {
  Slots slots;
  Ghosts ghosts(slots.slabs);
  ghosts.Fit(1'000'000, 1'000'000);
  EXPECT_EQ(ghosts.bytes(), 0u);
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i)
    ghosts.Add(random(), 1);
  EXPECT_LE(ghosts.bytes(), cache::Arena::kRegionBytes);
}

TEST(S3FifoSums, TheShardWhoseNextEntryIsOldestIsNext) {
  S3FifoSums sums(3);
  EXPECT_EQ(sums.Oldest(S3FifoSums::kSmall, 2), 2u) << "nobody has any: whose turn it is";
  const auto come = [&](size_t shard) {
    sums.SetNext(shard, S3FifoSums::kSmall, sums.Add(S3FifoSums::kSmall, 1));
  };
  const auto go = [&](int entries) {
    for (int i = 0; i < entries; ++i)
      sums.Remove(S3FifoSums::kSmall, 1);
  };
  for (int i = 0; i < 800; ++i)
    sums.Add(S3FifoSums::kSmall, 1);
  come(2);
  go(200);
  come(1);
  go(200);
  come(0);
  for (size_t turn = 0; turn < 3; ++turn)
    EXPECT_EQ(sums.Oldest(S3FifoSums::kSmall, turn), 2u);
  sums.SetNext(2, S3FifoSums::kSmall, S3FifoSums::kNone);
  EXPECT_EQ(sums.Oldest(S3FifoSums::kSmall, 0), 1u);
  EXPECT_EQ(sums.entries(), 403u);
  EXPECT_EQ(sums.bytes(), 403u);
}

TEST(S3FifoSums, NewcomersHaveTheirPartOfTheRoomAndWhatOthersLeave) {
  S3FifoSums sums(1);
  for (int i = 0; i < 100; ++i)
    sums.Add(S3FifoSums::kSmall, 10);
  EXPECT_EQ(sums.Next(0.1), S3FifoSums::kSmall);
  for (int i = 0; i < 890; ++i)
    sums.Add(S3FifoSums::kMain, 10);
  EXPECT_EQ(sums.Next(0.1), S3FifoSums::kSmall);
  for (int i = 0; i < 20; ++i)
    sums.Add(S3FifoSums::kMain, 10);
  EXPECT_EQ(sums.Next(0.1), S3FifoSums::kMain);
}

TEST(S3FifoShadow, HitsWhatFitsAndALuckyFewOfALongLoop) {
  S3FifoShadow small(S3FifoRule{}, 100);
  S3FifoShadow lucky(S3FifoRule{.lucky_of = 64}, 100);
  int hits = 0;
  int lucky_hits = 0;
  for (int round = 0; round < 20; ++round) {
    for (uint32_t key = 1; key <= 1000; ++key) {
      hits += small.Access(key) ? 1 : 0;
      lucky_hits += lucky.Access(key) ? 1 : 0;
    }
  }
  EXPECT_EQ(hits, 0);
  EXPECT_GT(lucky_hits, 800);
  S3FifoShadow fits(S3FifoRule{}, 100);
  for (uint32_t key = 1; key <= 100; ++key)
    EXPECT_FALSE(fits.Access(key));
  for (uint32_t key = 1; key <= 100; ++key)
    EXPECT_TRUE(fits.Access(key));
}

TEST(S3FifoTuner, TakesTheRuleThatMissesLeast) {
  S3FifoTuner tuner;
  EXPECT_EQ(tuner.rule().threshold, 1);
  tuner.Fit(200);
  EXPECT_EQ(tuner.unsampled(), 0u) << "few enough for all";
  // Each key is used twice, the second time when it would be no newcomer any more: only what lets
  // all newcomers stay has it still.
  for (uint32_t i = 0; i < 20'000; ++i) {
    tuner.Access(cache::HashKey(std::to_string(i)));
    if (i >= 100) tuner.Access(cache::HashKey(std::to_string(i - 100)));
  }
  EXPECT_EQ(tuner.rule().threshold, 0);
}

TEST(S3FifoTuner, SamplesFewerTheMoreThereAre) {
  S3FifoTuner tuner;
  tuner.Fit(256);
  EXPECT_EQ(tuner.unsampled(), 0u);
  tuner.Fit(256 << 10);
  size_t sampled = 0;
  for (int i = 0; i < 100'000; ++i)
    sampled += (cache::HashKey(std::to_string(i)) & tuner.unsampled()) == 0 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(sampled), 100'000.0 / 1024, 50);
  EXPECT_LT(S3FifoTuner::bytes(), size_t{20} << 10);
}

}  // namespace
}  // namespace cistern::test
