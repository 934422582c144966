// WriteQueue: what a stream was given to write and could not send at once, in order.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::net {

// Whoever keeps bytes in their place, until this is destroyed: an object, and how to let go of it.
struct LetGo {
  void (*how)(const void*) = nullptr;
  void operator()(const void* object) const { how(object); }
};
using Owner = std::unique_ptr<const void, LetGo>;

// Bytes to write. Without an owner they are copied if they cannot leave at once; with one they are
// not, and the owner is held until they have left (or the stream closed).
struct Piece {
  std::string_view bytes;
  Owner owner;
};

class WriteQueue {
 public:
  // Bytes of which the queue itself, or the owner, keeps the memory.
  struct Held {
    std::string copy;
    std::string_view pinned;  // unless `copy` holds the bytes
    Owner owner;              // of `pinned`; null where the next one pins the rest of it
    size_t gone = 0;          // of its bytes, from the front

    bool is_copy() const { return pinned.data() == nullptr; }
    std::string_view bytes() const {
      return (is_copy() ? std::string_view(copy) : pinned).substr(gone);
    }
  };

  void Add(Piece piece);
  // Moves the oldest behind `batch`: until it has kBatchPieces, or kBatchBytes are passed.
  void MoveBatch(std::vector<Held>& batch);
  // Bytes that lie together, the oldest. REQUIRES: not empty.
  std::string_view front() const { return held_.front().bytes(); }
  // Forgets so many bytes of front().
  void Drop(size_t bytes);
  void Clear();

  bool empty() const { return held_.empty(); }
  size_t bytes() const { return bytes_; }

  // Of one system call, and about what it writes: little enough that the owners of what has left
  // are let go soon.
  static constexpr size_t kBatchPieces = 64;
  static constexpr size_t kBatchBytes = 1 << 20;
  // libuv takes buffers of less than 4 GiB.
  static constexpr size_t kMaxPieceBytes = size_t{1} << 30;

 private:
  std::deque<Held> held_;
  size_t bytes_ = 0;
};

}  // namespace cistern::net
