// Blob: immutable bytes with many owners: what a load brought, a stored large value, a pinned
// reply.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include "cache/budget.h"

namespace cistern::cache {

// One piece of memory: this header, then the bytes. Lives as long as any BlobPtr to it.
class Blob {
 public:
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  // Valid as long as any owner holds the blob. (thread-safe)
  std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size_}; }
  // What it takes of memory, all overhead included.
  size_t charge() const;

  // From now until its last owner lets go the blob is charged to `budget` (and no longer to the one
  // before). Callers of one blob must not call this at the same time; in cache/ the shard's lock
  // or the flight that loaded it sees to that.
  void ChargeTo(Budget& budget) const;

 private:
  friend class BlobPtr;
  explicit Blob(size_t size) : size_(size) {}
  ~Blob() = default;

  static Blob* Allocate(size_t size);
  char* Begin() { return reinterpret_cast<char*>(this + 1); }

  void AddOwner() const { owners_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveOwner() const {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) Free();
  }
  void Free() const;

  mutable std::atomic<uint32_t> owners_{1};
  const size_t size_;
  mutable Budget* budget_ = nullptr;
};

// One owner of a blob, or null. As large as a pointer, and may be moved by moving its bytes.
class BlobPtr {
 public:
  BlobPtr() = default;
  BlobPtr(std::nullptr_t) {}  // as a pointer: null is written nullptr
  // One owner more.
  explicit BlobPtr(const Blob* blob) : blob_(blob) {
    if (blob_ != nullptr) blob_->AddOwner();
  }
  BlobPtr(const BlobPtr& other) : BlobPtr(other.blob_) {}
  BlobPtr(BlobPtr&& other) noexcept : blob_(other.Release()) {}
  BlobPtr& operator=(BlobPtr other) noexcept {
    std::swap(blob_, other.blob_);
    return *this;
  }
  ~BlobPtr() {
    if (blob_ != nullptr) blob_->RemoveOwner();
  }

  // A copy of `bytes`.
  static BlobPtr Make(std::string_view bytes);
  // `size` bytes, every one of which `write` writes.
  static BlobPtr Make(size_t size, const std::function<void(char*)>& write);
  // What Release() returned is owned again.
  static BlobPtr Adopt(const Blob* blob) {
    BlobPtr owner;
    owner.blob_ = blob;
    return owner;
  }
  // Is null from now on; the blob keeps this owner until somebody adopts it.
  const Blob* Release() { return std::exchange(blob_, nullptr); }

  const Blob* get() const { return blob_; }
  const Blob* operator->() const { return blob_; }
  const Blob& operator*() const { return *blob_; }
  explicit operator bool() const { return blob_ != nullptr; }
  bool operator==(const BlobPtr&) const = default;

 private:
  const Blob* blob_ = nullptr;
};

inline BlobPtr MakeBlob(std::string_view bytes) {
  return BlobPtr::Make(bytes);
}

}  // namespace cistern::cache
