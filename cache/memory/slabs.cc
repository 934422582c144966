#include "cache/memory/slabs.h"

#include <cassert>
#include <cstring>
#include <utility>

namespace cistern::cache {
namespace {

constexpr size_t kFineStep = 8;
constexpr size_t kFineBytes = 128;
// Two sizes above kFineBytes are at least 1/20 apart.
constexpr size_t kCoarseness = 20;
// Large ones are whole cache lines.
constexpr size_t kAlignedBytes = 2048;
// Among so many pages that had a slot freed longest ago the one to be vacated is chosen.
constexpr int kLooked = 8;

constexpr size_t SlotsIn(size_t slot_bytes) {
  return BytesOf(SlotSizes::PageFor(slot_bytes)) / slot_bytes;
}

}  // namespace

const SlotSizes& SlotSizes::Get() {
  static const SlotSizes sizes;
  return sizes;
}

SlotSizes::SlotSizes() {
  for (size_t bytes = 2 * kFineStep; bytes <= kFineBytes; bytes += kFineStep)
    bytes_[classes_++] = static_cast<uint16_t>(bytes);
  for (size_t slots = kPageBytes / kFineBytes; slots >= kPageBytes / kLargestSlot; --slots) {
    const size_t last = bytes_[classes_ - 1];
    const size_t unit = kPageBytes / slots < kAlignedBytes ? kRefUnit : kCacheLine;
    const size_t bytes = kPageBytes / slots / unit * unit;
    if (bytes - last < last / kCoarseness && bytes != kLargestSlot) continue;
    bytes_[classes_++] = static_cast<uint16_t>(bytes);
  }
  uint8_t slot_class = 0;
  for (size_t units = 0; units < class_of_.size(); ++units) {
    if (units * kRefUnit > bytes_[slot_class]) ++slot_class;
    class_of_[units] = slot_class;
  }
}

char* Slabs::SlotAt(uint32_t half, size_t slot) {
  Arena& arena = pages_.arena();
  return arena.At(arena.PageAt(half)) + slot * SlotSizes::Get().bytes(At(half).slot_class);
}

Ref Slabs::Allocate(size_t bytes) {
  const uint8_t slot_class = SlotSizes::Get().ClassFor(bytes);
  if (classes_[slot_class].first == 0 && !TakePage(slot_class)) return Ref::kNone;
  return TakeSlot(slot_class);
}

Ref Slabs::TakeSlot(uint8_t slot_class) {
  Class& slots = classes_[slot_class];
  if (slots.first == 0) return Ref::kNone;
  const uint32_t half = slots.first - 1;
  Page& page = At(half);
  char* slot = SlotAt(half, page.fresh);
  if (page.free != 0) {
    slot = SlotAt(half, page.free - 1);
    std::memcpy(&page.free, slot, sizeof page.free);
    if (page.free != 0) __builtin_prefetch(SlotAt(half, page.free - 1), 1);  // asked this next
  } else {
    ++page.fresh;
  }
  const size_t slot_bytes = SlotSizes::Get().bytes(slot_class);
  ++slots.used;
  used_bytes_ += slot_bytes;
  if (++page.used == SlotsIn(slot_bytes)) Unlist(half);
  return pages_.arena().RefOf(slot);
}

void Slabs::Free(Ref slot) {
  const uint32_t half = PageOf(slot);
  Page& page = At(half);
  const size_t slot_bytes = SlotSizes::Get().bytes(page.slot_class);
  char* const at = At(slot);
  const auto number = static_cast<size_t>(at - SlotAt(half, 0)) / slot_bytes;
  --page.used;
  --classes_[page.slot_class].used;
  used_bytes_ -= slot_bytes;
  if (vacated_ == half + 1) {
    vacated_free_.set(number);
  } else {
    std::memcpy(at, &page.free, sizeof page.free);
    page.free = static_cast<uint16_t>(number + 1);
    if (!page.listed) List(half);
  }
  if (page.used == 0) ReturnPage(half);
}

uint32_t Slabs::PageOf(Ref slot) {
  const auto half = static_cast<uint32_t>(pages_.arena().HalfPageOf(slot));
  return At(half).second ? half - 1 : half;
}

bool Slabs::TakePage(uint8_t slot_class) {
  const PageSize size = SlotSizes::PageFor(SlotSizes::Get().bytes(slot_class));
  const Ref taken = pages_.arena().Take(size);
  if (taken == Ref::kNone) return false;
  page_bytes_ += BytesOf(size);
  ++classes_[slot_class].pages;
  const auto half = static_cast<uint32_t>(pages_.arena().HalfPageOf(taken));
  At(half) = {.slot_class = slot_class};
  if (size == PageSize::kWhole) At(half + 1) = {.second = true};
  List(half);
  return true;
}

void Slabs::ReturnPage(uint32_t half) {
  const Page& page = At(half);
  if (page.listed) Unlist(half);
  if (vacated_ == half + 1) vacated_ = 0;
  const PageSize size = SlotSizes::PageFor(SlotSizes::Get().bytes(page.slot_class));
  page_bytes_ -= BytesOf(size);
  --classes_[page.slot_class].pages;
  pages_.arena().Return(pages_.arena().PageAt(half), size);
}

void Slabs::List(uint32_t half) {
  Page& page = At(half);
  Class& slots = classes_[page.slot_class];
  page.listed = true;
  page.prev = 0;
  page.next = slots.first;
  (slots.first != 0 ? At(slots.first - 1).prev : slots.last) = half + 1;
  slots.first = half + 1;
}

void Slabs::Unlist(uint32_t half) {
  Page& page = At(half);
  Class& slots = classes_[page.slot_class];
  page.listed = false;
  (page.prev != 0 ? At(page.prev - 1).next : slots.first) = page.next;
  (page.next != 0 ? At(page.next - 1).prev : slots.last) = page.prev;
}

bool Slabs::BeginVacating() {
  // The size that wastes most, of those whose other pages have room for a page's objects.
  const SlotSizes& sizes = SlotSizes::Get();
  size_t most_wasted = 0;
  const Class* chosen = nullptr;
  for (size_t i = 0; i < sizes.classes(); ++i) {
    const size_t slot = sizes.bytes(static_cast<uint8_t>(i));
    const size_t in_page = SlotsIn(slot);
    const size_t free = classes_[i].pages * in_page - classes_[i].used;
    if (free < in_page || free * slot <= most_wasted) continue;
    most_wasted = free * slot;
    chosen = &classes_[i];
  }
  if (chosen == nullptr) return false;

  uint32_t half = chosen->last - 1;
  uint32_t at = chosen->last;
  for (int looked = 0; at != 0 && looked < kLooked; ++looked, at = At(at - 1).prev) {
    if (At(at - 1).used < At(half).used) half = at - 1;
  }
  Unlist(half);
  vacated_ = half + 1;
  vacated_slot_ = 0;
  vacated_free_.reset();
  uint16_t free = At(half).free;
  while (free != 0) {
    vacated_free_.set(free - 1U);
    std::memcpy(&free, SlotAt(half, free - 1U), sizeof free);
  }
  return true;
}

void Slabs::StopVacating() {
  const uint32_t half = std::exchange(vacated_, 0) - 1;
  Page& page = At(half);
  page.free = 0;
  for (size_t slot = 0; slot < page.fresh; ++slot) {
    if (!vacated_free_[slot]) continue;
    std::memcpy(SlotAt(half, slot), &page.free, sizeof page.free);
    page.free = static_cast<uint16_t>(slot + 1);
  }
  List(half);
}

Ref Slabs::NextToMove() {
  while (vacated_free_[vacated_slot_])
    ++vacated_slot_;
  return RefOf(SlotAt(vacated_ - 1, vacated_slot_));
}

}  // namespace cistern::cache
