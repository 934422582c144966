#include "cache/blob.h"

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace cistern::cache {
namespace {

// Of glibc's malloc, which is asked because its sizes lie 16 bytes apart: those of other allocators
// are a quarter apart, which a value of 16 KiB pays with up to 4 KiB.
constexpr size_t kAllocatorHeader = sizeof(size_t);

}  // namespace

BlobPtr BlobPtr::Make(std::string_view bytes) {
  void* const memory = std::malloc(sizeof(Blob) + bytes.size());
  if (memory == nullptr) throw std::bad_alloc();
  auto* blob = new (memory) Blob(bytes.size());
  if (!bytes.empty())
    std::memcpy(static_cast<char*>(memory) + sizeof(Blob), bytes.data(), bytes.size());
  return Adopt(blob);
}

size_t Blob::charge() const {
  return malloc_usable_size(const_cast<Blob*>(this)) + kAllocatorHeader;
}

void Blob::ChargeTo(Budget& budget) const {
  if (budget_ == &budget) return;
  budget.Add(ChargeKind::kValues, charge());
  if (budget_ != nullptr) budget_->Release(ChargeKind::kValues, charge());
  budget_ = &budget;
}

void Blob::Free() const {
  if (budget_ != nullptr) budget_->Release(ChargeKind::kValues, charge());
  this->~Blob();
  std::free(const_cast<Blob*>(this));
}

}  // namespace cistern::cache
