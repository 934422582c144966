#include "cache/memory/slabs.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>

namespace cistern::cache {
namespace {

struct SlabsTest : testing::Test {
  char* At(Ref ref) { return arena.At(ref); }

  Arena arena{4 * Arena::kRegionBytes};
  SlabPages pages{arena};
  Slabs slabs{pages};
};

TEST(SlotSizes, EveryLengthFitsItsSlotAndWastesLittleOfIt) {
  size_t wasted = 0;
  size_t needed = 0;
  for (size_t bytes = 16; bytes <= kLargestSlot; ++bytes) {
    const size_t slot = Slabs::SlotBytes(bytes);
    ASSERT_GE(slot, bytes);
    ASSERT_LT(slot - bytes, std::max<size_t>(8, bytes / 7)) << bytes;
    ASSERT_EQ(slot % kRefUnit, 0U);
    wasted += slot - bytes;
    needed += bytes;
  }
  EXPECT_LT(static_cast<double>(wasted), 0.05 * static_cast<double>(needed));
}

TEST(SlotSizes, PagesEndWithLittleRest) {
  const SlotSizes& sizes = SlotSizes::Get();
  for (size_t i = 0; i < sizes.classes(); ++i) {
    const size_t bytes = sizes.bytes(static_cast<uint8_t>(i));
    const size_t page = BytesOf(SlotSizes::PageFor(bytes));
    EXPECT_LE(page % bytes, page / 20) << bytes;
  }
}

TEST_F(SlabsTest, SlotsDoNotOverlapAndKeepWhatIsWritten) {
  std::mt19937 random(1);
  std::map<Ref, std::string> held;
  for (int i = 0; i < 30'000; ++i) {
    if (held.size() < 2000 || i % 2 == 0) {
      const size_t bytes = 16 + random() % (i % 10 == 0 ? kLargestSlot - 15 : 200);
      const Ref slot = slabs.Allocate(bytes);
      ASSERT_NE(slot, Ref::kNone);
      const std::string text(bytes, static_cast<char>(random()));
      std::memcpy(At(slot), text.data(), bytes);
      ASSERT_TRUE(held.emplace(slot, text).second);
    } else {
      auto at = held.lower_bound(static_cast<Ref>(random() % (1U << 20)));
      if (at == held.end()) at = held.begin();
      ASSERT_EQ(std::memcmp(At(at->first), at->second.data(), at->second.size()), 0);
      slabs.Free(at->first);
      held.erase(at);
    }
  }
  for (const auto& [slot, text] : held) {
    EXPECT_EQ(std::memcmp(At(slot), text.data(), text.size()), 0);
    slabs.Free(slot);
  }
  EXPECT_EQ(arena.counts().taken, 0U);
}

TEST_F(SlabsTest, ThePageOfTheLastSlotGoesBack) {
  const Ref small = slabs.Allocate(64);
  const Ref large = slabs.Allocate(4000);
  EXPECT_EQ(slabs.page_bytes(), kHalfPageBytes + kPageBytes);
  slabs.Free(small);
  EXPECT_EQ(slabs.page_bytes(), kPageBytes);
  slabs.Free(large);
  EXPECT_EQ(arena.counts().taken, 0U);
}

TEST_F(SlabsTest, AFullPageIsUsedAgainWhenASlotOfItIsFreed) {
  std::vector<Ref> slots;
  while (slabs.page_bytes() <= kHalfPageBytes)
    slots.push_back(slabs.Allocate(64));
  EXPECT_EQ(slots.size(), kHalfPageBytes / 64 + 1);
  slabs.Free(slots.back());
  EXPECT_EQ(slabs.page_bytes(), kHalfPageBytes);
  slabs.Free(slots[7]);
  EXPECT_EQ(slabs.Allocate(64), slots[7]);
  slots.pop_back();
  for (const Ref slot : slots)
    slabs.Free(slot);
}

TEST_F(SlabsTest, WhenTheArenaIsFullThereIsNoSlotUntilAPageIsFree) {
  Slabs others(pages);
  std::vector<Ref> slots;
  for (Ref slot = others.Allocate(kLargestSlot); slot != Ref::kNone;
       slot = others.Allocate(kLargestSlot))
    slots.push_back(slot);
  EXPECT_EQ(slots.size(), 4 * Arena::kRegionBytes / kLargestSlot);
  EXPECT_EQ(slabs.Allocate(100), Ref::kNone);
  for (const Ref slot : slots)
    others.Free(slot);
  const Ref slot = slabs.Allocate(100);
  EXPECT_NE(slot, Ref::kNone);
  slabs.Free(slot);
}

// Objects that say who they are, so that a move can be followed.
struct Movable : SlabsTest {
  void Add(size_t bytes, int count) {
    for (int i = 0; i < count; ++i) {
      const Ref slot = slabs.Allocate(bytes);
      const uint64_t name = next++;
      std::memcpy(At(slot), &name, sizeof name);
      held[name] = slot;
    }
  }
  // Of each `keep_one_of` the others go.
  void Thin(int keep_one_of) {
    for (auto at = held.begin(); at != held.end();) {
      const bool kept = at->first % keep_one_of == 0;
      if (!kept) slabs.Free(at->second);
      at = kept ? std::next(at) : held.erase(at);
    }
  }
  size_t Vacate(size_t most) {
    return slabs.Vacate(most, [this](char* from, char* to) {
      std::memcpy(to, from, 64);
      uint64_t name = 0;
      std::memcpy(&name, from, sizeof name);
      ASSERT_EQ(At(held.at(name)), from);
      held[name] = slabs.RefOf(to);
    });
  }
  void ExpectWhole() {
    std::set<Ref> places;
    for (const auto& [name, slot] : held) {
      EXPECT_EQ(std::memcmp(At(slot), &name, sizeof name), 0);
      places.insert(slot);
    }
    EXPECT_EQ(places.size(), held.size());
    EXPECT_EQ(slabs.used_bytes(), 64 * held.size());
  }
  void TearDown() override {
    for (const auto& [name, slot] : held)
      slabs.Free(slot);
    EXPECT_EQ(arena.counts().taken, 0U);
  }

  uint64_t next = 0;
  std::map<uint64_t, Ref> held;
};
using SlabsVacate = Movable;

TEST_F(SlabsVacate, MovesObjectsTogetherUntilNoPageCanBeFreed) {
  Add(64, 256 * 40);
  Thin(4);
  EXPECT_EQ(slabs.page_bytes(), 40 * kHalfPageBytes);
  while (Vacate(16) > 0)
    ExpectWhole();
  EXPECT_EQ(slabs.page_bytes(), 10 * kHalfPageBytes);
}

TEST_F(SlabsVacate, PagesThatAreFullStayAsTheyAre) {
  Add(64, 256 * 4);
  EXPECT_EQ(Vacate(100), 0U);
  slabs.Free(held.at(7));
  held.erase(7);
  EXPECT_EQ(Vacate(100), 0U) << "one free slot is no page";
}

TEST_F(SlabsVacate, ObjectsComeAndGoWhileAPageIsVacated) {
  std::mt19937 random(3);
  Add(64, 256 * 20);
  Thin(3);
  for (int step = 0; step < 3000; ++step) {
    Vacate(3);
    // Fewer and fewer, then more again: the room that a page's objects would move to is taken.
    if (random() % 5000 < held.size() && step < 1500) {
      auto at = held.lower_bound(random() % next);
      if (at == held.end()) at = held.begin();
      slabs.Free(at->second);
      held.erase(at);
    } else {
      Add(64, 3);
    }
    if (step % 100 == 0) ExpectWhole();
  }
  ExpectWhole();
}

}  // namespace
}  // namespace cistern::cache
