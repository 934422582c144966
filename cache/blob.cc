#include "cache/blob.h"

namespace cistern::cache {

size_t Blob::charge() const {
  // One allocation for the blob and its reference counts, one for the bytes unless they lie inside.
  constexpr size_t kControlBlock = 16;
  constexpr size_t kAllocatorHeader = 16;
  const bool inside = bytes_.capacity() < sizeof(std::string) - sizeof(size_t) * 2;
  return sizeof(Blob) + kControlBlock + (inside ? 0 : bytes_.capacity() + kAllocatorHeader);
}

}  // namespace cistern::cache
