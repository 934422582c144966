// Slabs: slots of fixed sizes in an arena's pages.
#pragma once

#include <array>
#include <bitset>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cache/memory/arena.h"

namespace cistern::cache {

// Longer objects are somebody else's.
inline constexpr size_t kLargestSlot = 4096;
inline constexpr size_t kCacheLine = 64;

// The sizes of slots: steps of 8 to 128 bytes; above, what divides a page with little rest, about
// 5 % apart. So an object of any size wastes 3 % of its slot on average. From 2 KiB on slots are
// whole cache lines.
class SlotSizes {
 public:
  static constexpr size_t kMostClasses = 72;

  static const SlotSizes& Get();
  // REQUIRES: bytes <= kLargestSlot.
  uint8_t ClassFor(size_t bytes) const { return class_of_[(bytes + kRefUnit - 1) / kRefUnit]; }
  size_t bytes(uint8_t slot_class) const { return bytes_[slot_class]; }
  size_t classes() const { return classes_; }
  static constexpr PageSize PageFor(size_t slot_bytes) {
    return slot_bytes <= 1024 ? PageSize::kHalf : PageSize::kWhole;
  }

 private:
  SlotSizes();

  size_t classes_ = 0;
  std::array<uint16_t, kMostClasses> bytes_{};
  std::array<uint8_t, kLargestSlot / kRefUnit + 1> class_of_{};
};

// What is known of the pages of an arena that slabs have taken. Shared by all Slabs of the arena;
// what stands there of a page is guarded by whatever guards the Slabs that has the page.
class SlabPages {
 public:
  explicit SlabPages(Arena& arena) : arena_(arena), pages_(arena.half_pages()) {}
  Arena& arena() { return arena_; }

 private:
  friend class Slabs;
  // Pages of one class that have a free slot form a list.
  struct Page {
    uint32_t prev = 0;  // numbers of half pages, plus 1; 0: none
    uint32_t next = 0;
    uint16_t used = 0;
    uint16_t fresh = 0;  // slots from this one on have never been used
    uint16_t free = 0;   // the last one freed, plus 1; it holds the number of the one before
    uint8_t slot_class = 0;
    bool second = false;  // the second half of a whole page: the first one speaks for it
    bool listed = false;
  };

  Arena& arena_;
  std::vector<Page> pages_;  // by half page
};

// The slots of one owner; not thread-safe. A page belongs to one Slabs and one size; it goes back
// to the arena when its last slot has been freed.
class Slabs {
 public:
  explicit Slabs(SlabPages& pages) : pages_(pages) {}
  // All slots have been freed.
  ~Slabs() { assert(page_bytes_ == 0); }
  Slabs(const Slabs&) = delete;
  Slabs& operator=(const Slabs&) = delete;

  // REQUIRES: bytes <= kLargestSlot. Aligned to 8 bytes; kNone when the arena has no room.
  Ref Allocate(size_t bytes);
  void Free(Ref slot);
  const Arena& arena() const { return pages_.arena(); }
  char* At(Ref slot) const { return pages_.arena().At(slot); }
  Ref RefOf(const void* slot) const { return pages_.arena().RefOf(slot); }
  // What the slot of an object of so many bytes takes.
  static size_t SlotBytes(size_t bytes) {
    const SlotSizes& sizes = SlotSizes::Get();
    return sizes.bytes(sizes.ClassFor(bytes));
  }
  // Moves up to `most` objects out of a page into other pages' free slots, so that it can go back
  // to the arena; goes on with the same one next time. move(from, to) copies an object. 0: no page
  // can be emptied so.
  template <class Move>
  size_t Vacate(size_t most, Move move);

  // Of all pages that it has, and of the slots that are used there.
  uint64_t page_bytes() const { return page_bytes_; }
  uint64_t used_bytes() const { return used_bytes_; }

 private:
  using Page = SlabPages::Page;
  static constexpr size_t kMostSlots = kHalfPageBytes / (2 * kRefUnit);  // of one page

  // The pages of one size of slot. Those with a free slot form a list: where one was freed first is
  // last, so the fullest stand about its front, from which slots are taken.
  struct Class {
    uint32_t first = 0;  // numbers of half pages, plus 1
    uint32_t last = 0;
    uint32_t pages = 0;
    uint32_t used = 0;  // slots
  };

  Page& At(uint32_t half) { return pages_.pages_[half]; }
  char* SlotAt(uint32_t half, size_t slot);
  uint32_t PageOf(Ref slot);
  // Of a page that is there already; kNone: all are full.
  Ref TakeSlot(uint8_t slot_class);
  bool TakePage(uint8_t slot_class);
  void ReturnPage(uint32_t half);
  void List(uint32_t half);
  void Unlist(uint32_t half);
  // Chooses a page to be vacated, from which no slots are taken any more.
  bool BeginVacating();
  void StopVacating();
  // REQUIRES: a page is being vacated.
  Ref NextToMove();

  SlabPages& pages_;
  std::array<Class, SlotSizes::kMostClasses> classes_{};
  uint64_t page_bytes_ = 0;
  uint64_t used_bytes_ = 0;
  uint32_t vacated_ = 0;     // the page's number, plus 1
  size_t vacated_slot_ = 0;  // those before it are free
  std::bitset<kMostSlots> vacated_free_;
};

template <class Move>
size_t Slabs::Vacate(size_t most, Move move) {
  if (vacated_ == 0 && !BeginVacating()) return 0;
  size_t moved = 0;
  for (; vacated_ != 0 && moved < most; ++moved) {
    const Ref to = TakeSlot(At(vacated_ - 1).slot_class);
    if (to == Ref::kNone) {
      StopVacating();
      break;
    }
    const Ref from = NextToMove();
    move(At(from), At(to));
    Free(from);
  }
  return moved;
}

}  // namespace cistern::cache
