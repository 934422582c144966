#include "cache/memory/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace cistern::cache {
namespace {

constexpr uint32_t kNotFree = UINT32_MAX;
constexpr size_t kPagesARegion = Arena::kRegionBytes / kPageBytes;

uint64_t WholeRegions(uint64_t bytes) {
  const uint64_t most = Arena::kMostBytes - Arena::kRegionBytes;
  const uint64_t regions = (std::min(bytes, most) + Arena::kRegionBytes - 1) / Arena::kRegionBytes;
  return std::max<uint64_t>(regions, 1) * Arena::kRegionBytes;
}

// Where the kernel is too old for MADV_POPULATE_WRITE (5.14) each page is touched.
void MakeResident(char* begin, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  if (madvise(begin, bytes, MADV_POPULATE_WRITE) == 0) return;
#endif
  for (size_t at = 0; at < bytes; at += 4096)
    static_cast<volatile char*>(begin)[at] = 0;
}

}  // namespace

Arena::Arena(uint64_t bytes)
    : bytes_(WholeRegions(bytes)), half_at_(bytes_ / kHalfPageBytes, kNotFree) {
  // One region more: the kernel aligns to small pages only.
  mapping_ = mmap(nullptr, bytes_ + kRegionBytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping_ == MAP_FAILED) throw std::bad_alloc();
  const auto begin = reinterpret_cast<uintptr_t>(mapping_);
  const size_t skipped = (kRegionBytes - begin % kRegionBytes) % kRegionBytes;
  first_ = static_cast<char*>(mapping_) + skipped;
  madvise(first_, bytes_, MADV_HUGEPAGE);
}

Arena::~Arena() {
  munmap(mapping_, bytes_ + kRegionBytes);
}

Ref Arena::Take(PageSize size) {
  std::unique_lock lock(mutex_);
  if (size == PageSize::kHalf && !halves_.empty()) return TakeHalf();
  while (whole_.empty()) {
    if (!CanAdd() && adding_ == 0) return Ref::kNone;
    ++waited_;
    if (CanAdd()) {
      AddPages(lock);
    } else {
      added_.wait(lock);
    }
  }
  const uint32_t page = whole_.back();
  whole_.pop_back();
  taken_ += BytesOf(size);
  if (size == PageSize::kHalf) FreeHalf(page + 1);
  if (whole_.size() < kAhead && CanAdd()) low_.notify_one();
  return PageAt(page);
}

Ref Arena::TakeHalf() {
  const uint32_t half = halves_.back();
  UnlistHalf(half);
  taken_ += kHalfPageBytes;
  return PageAt(half);
}

void Arena::Return(Ref page, PageSize size) {
  const std::lock_guard lock(mutex_);
  const auto half = static_cast<uint32_t>(HalfPageOf(page));
  taken_ -= BytesOf(size);
  if (size == PageSize::kWhole) {
    whole_.push_back(half);
  } else if (const uint32_t other = half ^ 1U; half_at_[other] != kNotFree) {
    UnlistHalf(other);
    whole_.push_back(half & ~1U);
  } else {
    FreeHalf(half);
  }
}

void Arena::FreeHalf(uint32_t half) {
  half_at_[half] = static_cast<uint32_t>(halves_.size());
  halves_.push_back(half);
}

void Arena::UnlistHalf(uint32_t half) {
  const uint32_t at = half_at_[half];
  halves_[at] = halves_.back();
  half_at_[halves_[at]] = at;
  halves_.pop_back();
  half_at_[half] = kNotFree;
}

void Arena::Prepare(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (low_.wait(lock, stop, [this] { return whole_.size() < kAhead && CanAdd(); }))
    AddPages(lock);
}

void Arena::GiveBack() {
  std::unique_lock lock(mutex_);
  while (whole_.size() > 2 * kAhead) {
    const uint32_t page = whole_.back();
    whole_.pop_back();
    lock.unlock();
    madvise(At(PageAt(page)), kPageBytes, MADV_DONTNEED);
    lock.lock();
    given_back_.push_back(page);
  }
}

void Arena::AddPages(std::unique_lock<std::mutex>& lock) {
  uint64_t first = used_;
  size_t pages = kPagesARegion;
  if (given_back_.empty()) {
    used_ += kRegionBytes;
  } else {
    first = given_back_.back() * kHalfPageBytes;
    given_back_.pop_back();
    pages = 1;
  }
  ++adding_;
  lock.unlock();  // milliseconds: others may take what there is
  MakeResident(first_ + first, pages * kPageBytes);
  lock.lock();
  --adding_;
  // The first page is taken first: entries of a small cache lie close together.
  for (size_t page = pages; page-- > 0;)
    whole_.push_back(static_cast<uint32_t>(first / kHalfPageBytes + 2 * page));
  added_.notify_all();
}

Arena::Counts Arena::counts() const {
  const std::lock_guard lock(mutex_);
  return {used_ - given_back_.size() * kPageBytes, taken_, waited_};
}

}  // namespace cistern::cache
