#include "cache/memory/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <stop_token>
#include <thread>

namespace cistern::cache {
namespace {

constexpr size_t kPagesARegion = Arena::kRegionBytes / kPageBytes;

TEST(Arena, PagesAreAlignedToTheirSizeAndZero) {
  Arena arena(1);
  for (const PageSize size : {PageSize::kHalf, PageSize::kWhole, PageSize::kHalf}) {
    const char* at = arena.At(arena.Take(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % BytesOf(size), 0U);
    EXPECT_EQ(std::string_view(at, BytesOf(size)), std::string(BytesOf(size), '\0'));
  }
}

TEST(Arena, ReferencesNameEachPlaceOfAPage) {
  Arena arena(1);
  const Ref page = arena.Take(PageSize::kWhole);
  char* first = arena.At(page);
  for (const size_t offset : {size_t{0}, size_t{8}, kHalfPageBytes, kPageBytes - 8}) {
    const Ref ref = arena.RefOf(first + offset);
    EXPECT_EQ(arena.At(ref), first + offset);
    EXPECT_EQ(arena.HalfPageOf(ref), arena.HalfPageOf(page) + offset / kHalfPageBytes);
  }
  EXPECT_NE(page, Ref::kNone);
}

TEST(Arena, HasRoomForWholeRegionsAndNoMore) {
  Arena arena(Arena::kRegionBytes + 1);
  std::set<Ref> pages;
  for (size_t i = 0; i < 2 * kPagesARegion; ++i)
    pages.insert(arena.Take(PageSize::kWhole));
  EXPECT_EQ(pages.size(), 2 * kPagesARegion);
  EXPECT_FALSE(pages.contains(Ref::kNone));
  EXPECT_EQ(arena.Take(PageSize::kHalf), Ref::kNone);
  arena.Return(*pages.begin(), PageSize::kWhole);
  EXPECT_EQ(arena.Take(PageSize::kWhole), *pages.begin());
}

TEST(Arena, HalvesOfOnePageBecomeAPageAgain) {
  Arena arena(1);
  std::vector<Ref> halves;
  for (size_t i = 0; i < 2 * kPagesARegion; ++i)
    halves.push_back(arena.Take(PageSize::kHalf));
  EXPECT_EQ(arena.Take(PageSize::kHalf), Ref::kNone);
  for (const Ref half : halves)
    arena.Return(half, PageSize::kHalf);
  for (size_t i = 0; i < kPagesARegion; ++i)
    EXPECT_NE(arena.Take(PageSize::kWhole), Ref::kNone);
}

TEST(Arena, TwoHalvesOfDifferentPagesAreNoPage) {
  Arena arena(1);
  std::vector<Ref> halves;
  for (size_t i = 0; i < 2 * kPagesARegion; ++i)
    halves.push_back(arena.Take(PageSize::kHalf));
  for (size_t i = 0; i < halves.size(); i += 2)
    arena.Return(halves[i], PageSize::kHalf);
  EXPECT_EQ(arena.Take(PageSize::kWhole), Ref::kNone);
  EXPECT_NE(arena.Take(PageSize::kHalf), Ref::kNone);
}

struct Preparer {
  explicit Preparer(Arena& arena)
      : thread([&arena](const std::stop_token& stop) { arena.Prepare(stop); }) {}
  std::jthread thread;
};

void AwaitResident(const Arena& arena, uint64_t bytes) {
  while (arena.counts().resident < bytes)
    std::this_thread::yield();
}

TEST(Arena, WhatIsPreparedNobodyWaitsFor) {
  Arena arena(4 * Arena::kRegionBytes);
  {
    const Preparer preparer(arena);
    AwaitResident(arena, 2 * Arena::kRegionBytes);
  }
  EXPECT_EQ(arena.counts().resident, 2 * Arena::kRegionBytes) << "two regions ahead";
  for (size_t i = 0; i < 2 * kPagesARegion; ++i)
    arena.Take(PageSize::kWhole);
  EXPECT_EQ(arena.counts().waited, 0U);
  arena.Take(PageSize::kHalf);
  EXPECT_EQ(arena.counts().waited, 1U);
  EXPECT_EQ(arena.counts().taken, 2 * Arena::kRegionBytes + kHalfPageBytes);
}

TEST(Arena, IsPreparedFurtherWhenPagesAreTaken) {
  Arena arena(3 * Arena::kRegionBytes);
  const Preparer preparer(arena);
  AwaitResident(arena, 2 * Arena::kRegionBytes);
  arena.Take(PageSize::kWhole);
  AwaitResident(arena, 3 * Arena::kRegionBytes);
  // There is no room for more; the preparer ends when told to.
  for (size_t i = 1; i < 3 * kPagesARegion; ++i)
    EXPECT_NE(arena.Take(PageSize::kWhole), Ref::kNone);
  EXPECT_EQ(arena.Take(PageSize::kWhole), Ref::kNone);
}

TEST(Arena, GivesFreePagesBackToTheSystemAndTakesThemLast) {
  Arena arena(8 * Arena::kRegionBytes);
  std::vector<Ref> pages;
  for (size_t i = 0; i < 8 * kPagesARegion; ++i)
    pages.push_back(arena.Take(PageSize::kWhole));
  for (const Ref page : pages) {
    std::memset(arena.At(page), 'x', kPageBytes);
    arena.Return(page, PageSize::kWhole);
  }
  EXPECT_EQ(arena.counts().resident, 8 * Arena::kRegionBytes);
  arena.GiveBack();
  EXPECT_EQ(arena.counts().resident, 4 * Arena::kRegionBytes);
  std::set<Ref> again;
  for (size_t i = 0; i < pages.size(); ++i) {
    const Ref page = arena.Take(PageSize::kWhole);
    EXPECT_EQ(*arena.At(page), i < pages.size() / 2 ? 'x' : '\0');
    again.insert(page);
  }
  EXPECT_EQ(again.size(), pages.size());
  EXPECT_EQ(arena.counts().resident, 8 * Arena::kRegionBytes);
}

TEST(Arena, ThreadsNeverGetOnePageTwice) {
  Arena arena(8 * Arena::kRegionBytes);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&arena, t] {
      const char mine = static_cast<char>('a' + t);
      for (int i = 0; i < 2000; ++i) {
        const PageSize size = i % 3 == 0 ? PageSize::kWhole : PageSize::kHalf;
        const Ref page = arena.Take(size);
        char* at = arena.At(page);
        std::memset(at, mine, 64);
        EXPECT_EQ(std::string_view(at, 64), std::string(64, mine));
        arena.Return(page, size);
      }
    });
  }
  const Preparer preparer(arena);
  threads.emplace_back([&arena] {
    for (int i = 0; i < 20; ++i)
      arena.GiveBack();
  });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(arena.counts().taken, 0U);
}

}  // namespace
}  // namespace cistern::cache
