#include "server/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace cistern::server {
namespace {

// Less room than this is not worth a read's system call.
constexpr size_t kLeastRoom = size_t{16} * 1024;

}  // namespace

void InputBuffer::Assign(std::string_view bytes) {
  Clear();
  if (bytes.empty()) return;
  Reallocate(bytes.size());
  std::memcpy(data_.get(), bytes.data(), bytes.size());
  end_ = touched_ = bytes.size();
}

std::span<char> InputBuffer::Room(size_t wanted) {
  const size_t most = std::max(kFirstRoom, size());
  const size_t room = std::clamp(wanted, kLeastRoom, most);
  if (capacity_ - end_ < room && begin_ > 0) {
    std::memmove(data_.get(), data_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ - end_ < std::min(room, kLeastRoom) || capacity_ == 0) Reallocate(end_ + room);
  return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::Drop(size_t bytes) {
  begin_ += bytes;
  if (empty()) {
    Clear();
  } else if (capacity_ > kFirstRoom && size() < capacity_ / 4) {
    std::memmove(data_.get(), data_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
    Reallocate(end_);
  }
}

void InputBuffer::Clear() {
  data_.reset();
  begin_ = end_ = capacity_ = touched_ = 0;
}

void InputBuffer::Reallocate(size_t capacity) {
  data_.reset(static_cast<char*>(std::realloc(data_.release(), capacity)));
  if (data_ == nullptr) throw std::bad_alloc();
  capacity_ = capacity;
  touched_ = std::min(touched_, capacity);
}

}  // namespace cistern::server
