#include "cache/memory/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CISTERN_FINDS_LEAKS
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CISTERN_FINDS_LEAKS
#endif
#ifdef CISTERN_FINDS_LEAKS
#include <sanitizer/lsan_interface.h>
#endif

namespace cistern::cache {
namespace {

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

// Entries own blobs: a search for leaks looks for owners here too.
void NoteOwners([[maybe_unused]] const void* begin, [[maybe_unused]] size_t bytes) {
#ifdef CISTERN_FINDS_LEAKS
  __lsan_register_root_region(begin, bytes);
#endif
}

void ForgetOwners([[maybe_unused]] const void* begin, [[maybe_unused]] size_t bytes) {
#ifdef CISTERN_FINDS_LEAKS
  __lsan_unregister_root_region(begin, bytes);
#endif
}

}  // namespace

Arena::Arena(uint64_t bytes)
    : bytes_(WholeRegions(bytes)), links_(bytes_ / kHalfPageBytes, Link{kUnlisted, kUnlisted}) {
  // One region more: the kernel aligns to small pages only.
  mapping_ = mmap(nullptr, bytes_ + kRegionBytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping_ == MAP_FAILED) throw std::bad_alloc();
  const auto begin = reinterpret_cast<uintptr_t>(mapping_);
  const size_t skipped = (kRegionBytes - begin % kRegionBytes) % kRegionBytes;
  first_ = static_cast<char*>(mapping_) + skipped;
  madvise(first_, bytes_, MADV_HUGEPAGE);
  NoteOwners(first_, bytes_);
}

Arena::~Arena() {
  ForgetOwners(first_, bytes_);
  munmap(mapping_, bytes_ + kRegionBytes);
}

Ref Arena::Take(PageSize size) {
  std::unique_lock lock(mutex_);
  if (size == PageSize::kHalf && halves_.size > 0) {
    taken_ += kHalfPageBytes;
    return PageAt(Pop(halves_));
  }
  while (whole_.size == 0) {
    if (!CanAdd() && adding_ == 0) return Ref::kNone;
    ++waited_;
    if (CanAdd()) {
      AddPages(lock);
    } else {
      added_.wait(lock);
    }
  }
  const uint32_t page = Pop(whole_);
  taken_ += BytesOf(size);
  if (size == PageSize::kHalf) Push(halves_, page + 1);
  if (IsLow()) low_.notify_one();
  return PageAt(page);
}

void Arena::Return(Ref page, PageSize size) {
  const std::lock_guard lock(mutex_);
  const auto half = static_cast<uint32_t>(HalfPageOf(page));
  taken_ -= BytesOf(size);
  if (size == PageSize::kWhole) {
    Push(whole_, half);
  } else if (const uint32_t other = half ^ 1U; links_[other].prev != kUnlisted) {
    Remove(halves_, other);
    Push(whole_, half & ~1U);
  } else {
    Push(halves_, half);
  }
}

void Arena::Push(List& list, uint32_t page) {
  links_[page] = {kEnd, list.first};
  if (list.first != kEnd) links_[list.first].prev = page;
  list.first = page;
  ++list.size;
}

uint32_t Arena::Pop(List& list) {
  const uint32_t page = list.first;
  Remove(list, page);
  return page;
}

void Arena::Remove(List& list, uint32_t page) {
  Link& link = links_[page];
  (link.prev != kEnd ? links_[link.prev].next : list.first) = link.next;
  if (link.next != kEnd) links_[link.next].prev = link.prev;
  link = {kUnlisted, kUnlisted};
  --list.size;
}

void Arena::Prepare(const std::stop_token& stop, const std::function<void()>& grown) {
  std::unique_lock lock(mutex_);
  while (low_.wait(lock, stop, [this] { return IsLow(); })) {
    AddPages(lock);
    lock.unlock();
    grown();
    lock.lock();
  }
}

void Arena::GiveBack() {
  std::unique_lock lock(mutex_);
  while (whole_.size > 2 * kAhead) {
    const uint32_t page = Pop(whole_);
    lock.unlock();
    madvise(At(PageAt(page)), kPageBytes, MADV_DONTNEED);
    lock.lock();
    Push(given_back_, page);
  }
}

void Arena::AddPages(std::unique_lock<std::mutex>& lock) {
  uint64_t first = used_;
  size_t pages = kPagesARegion;
  if (given_back_.size == 0) {
    used_ += kRegionBytes;
  } else {
    first = Pop(given_back_) * kHalfPageBytes;
    pages = 1;
  }
  ++adding_;
  lock.unlock();  // milliseconds: others may take what there is
  MakeResident(first_ + first, pages * kPageBytes);
  lock.lock();
  --adding_;
  // The first page is taken first: entries of a small cache lie close together.
  for (size_t page = pages; page-- > 0;)
    Push(whole_, static_cast<uint32_t>(first / kHalfPageBytes + 2 * page));
  added_.notify_all();
}

bool Arena::is_prepared() const {
  const std::lock_guard lock(mutex_);
  return !IsLow() && adding_ == 0;
}

Arena::Counts Arena::counts() const {
  const std::lock_guard lock(mutex_);
  return {used_ - given_back_.size * kPageBytes, taken_, waited_};
}

}  // namespace cistern::cache
