// InputBuffer: bytes of one client that could not be executed yet: an incomplete request, or what
// has to wait for another turn.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace cistern::server {

// Costs no memory while empty. Its bytes stay in their place until the next call that is not const.
class InputBuffer {
 public:
  InputBuffer() = default;
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  std::string_view view() const { return {data_.get() + begin_, size()}; }
  size_t capacity() const { return capacity_; }
  // Of the capacity what has ever been written to: what is resident.
  size_t touched() const { return touched_; }

  // Replaces what it holds. `bytes` lie elsewhere.
  void Assign(std::string_view bytes);
  // Room for a read, at least one byte. `wanted` more are needed; no more than kFirstRoom, or as
  // much as has come already, is allocated beyond what has come.
  std::span<char> Room(size_t wanted);
  // So many bytes were read into Room().
  void Commit(size_t bytes) {
    end_ += bytes;
    touched_ = std::max(touched_, end_);
  }
  // The first `bytes` are done with.
  void Drop(size_t bytes);
  void Clear();

  static constexpr size_t kFirstRoom = size_t{16} * 1024;

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };

  void Reallocate(size_t capacity);

  std::unique_ptr<char, Free> data_;  // by malloc: large buffers grow without being copied
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
  size_t touched_ = 0;
};

}  // namespace cistern::server
