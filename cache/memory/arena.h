// Arena: the memory that entries lie in: one mapping, handed out in pages.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <vector>

namespace cistern::cache {

// A place in an arena: half the size of a pointer. Counted in units of 8 bytes; 0 is none.
enum class Ref : uint32_t { kNone = 0 };
inline constexpr size_t kRefUnit = 8;

// Pages come in two sizes, so that classes of large slots waste little of a page's end, and classes
// of small slots little by pages that are not full.
enum class PageSize : uint8_t { kHalf, kWhole };
inline constexpr size_t kHalfPageBytes = size_t{16} << 10;
inline constexpr size_t kPageBytes = 2 * kHalfPageBytes;
constexpr size_t BytesOf(PageSize size) {
  return size == PageSize::kHalf ? kHalfPageBytes : kPageBytes;
}

// The address space is reserved at the start and costs nothing before it is used. It is used region
// by region: 2 MiB, one huge page where the kernel has them, made resident whole, so that whoever
// takes a page of it never waits for the kernel. What is returned is used again, or given back to
// the kernel by GiveBack().
//
// All methods may be called from any thread. References stay valid as long as the arena.
class Arena {
 public:
  static constexpr size_t kRegionBytes = size_t{2} << 20;
  // What references can name: 32 GiB.
  static constexpr uint64_t kMostBytes = uint64_t{kRefUnit} << 32;

  // Room for `bytes`, rounded up to whole regions, at most kMostBytes.
  explicit Arena(uint64_t bytes);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // The first byte of a page, aligned to its size; kNone when there is no room. Makes a region
  // resident itself, which takes milliseconds, where Prepare() has not been called in time.
  Ref Take(PageSize size);
  void Return(Ref page, PageSize size);

  // Until told to stop makes memory resident whenever few pages are free, and calls grown() each
  // time. For a thread of its own, which may wait for the kernel.
  void Prepare(
      const std::stop_token& stop, const std::function<void()>& grown = [] {});
  // Of the pages that are free gives all to the kernel but a few. They are taken last.
  void GiveBack();

  char* At(Ref ref) const { return first_ + Offset(ref); }
  Ref RefOf(const void* at) const {
    return RefAt(static_cast<size_t>(static_cast<const char*>(at) - first_));
  }
  bool Contains(const void* at) const {
    return static_cast<const char*>(at) - first_ >= 0 &&
           static_cast<uint64_t>(static_cast<const char*>(at) - first_) < bytes_;
  }
  // Whether so many bytes can be read there, whatever they mean.
  bool HoldsAt(Ref ref, size_t bytes) const { return Offset(ref) < bytes_ - bytes; }
  // Which half page a reference lies in: 0, 1, ... below half_pages().
  size_t HalfPageOf(Ref ref) const { return Offset(ref) / kHalfPageBytes; }
  Ref PageAt(size_t half_page) const { return RefAt(half_page * kHalfPageBytes); }
  size_t half_pages() const { return bytes_ / kHalfPageBytes; }

  struct Counts {
    uint64_t resident = 0;  // bytes
    uint64_t taken = 0;     // bytes of pages
    uint64_t waited = 0;    // how often Take() had to make a region resident
  };
  Counts counts() const;
  // Whether Prepare() has nothing to do.
  bool is_prepared() const;

 private:
  // The first byte is no. 1.
  static size_t Offset(Ref ref) { return (static_cast<size_t>(ref) - 1) * kRefUnit; }
  static Ref RefAt(size_t offset) { return static_cast<Ref>(offset / kRefUnit + 1); }

  // Free pages form lists, which need no memory as they grow. Pages are named by the number of
  // their (first) half page.
  static constexpr uint32_t kEnd = UINT32_MAX;
  static constexpr uint32_t kUnlisted = UINT32_MAX - 1;
  struct Link {
    uint32_t prev;  // kUnlisted: it is in no list
    uint32_t next;
  };
  struct List {
    uint32_t first = kEnd;
    size_t size = 0;
  };

  // So many free whole pages, two regions of them, are kept ready.
  static constexpr size_t kAhead = 2 * kRegionBytes / kPageBytes;

  // All with the lock held. AddPages lets go of it meanwhile. REQUIRES: CanAdd().
  void AddPages(std::unique_lock<std::mutex>& lock);
  bool CanAdd() const { return given_back_.size > 0 || used_ < bytes_; }
  bool IsLow() const { return whole_.size < kAhead && CanAdd(); }
  void Push(List& list, uint32_t page);
  uint32_t Pop(List& list);
  void Remove(List& list, uint32_t page);

  const uint64_t bytes_;
  void* mapping_ = nullptr;
  char* first_ = nullptr;

  mutable std::mutex mutex_;
  uint64_t used_ = 0;  // bytes, of whole regions
  uint64_t taken_ = 0;
  uint64_t waited_ = 0;
  int adding_ = 0;  // by so many threads pages are being made resident
  std::condition_variable added_;
  std::condition_variable_any low_;
  std::vector<Link> links_;  // by half page
  List whole_;
  List halves_;
  List given_back_;  // whole ones that are not resident
};

}  // namespace cistern::cache
