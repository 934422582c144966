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

Blob* Blob::Allocate(size_t size) {
  void* const memory = std::malloc(sizeof(Blob) + size);
  if (memory == nullptr) throw std::bad_alloc();
  return new (memory) Blob(size);
}

BlobPtr BlobPtr::Make(std::string_view bytes) {
  Blob* blob = Blob::Allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(blob->Begin(), bytes.data(), bytes.size());
  return Adopt(blob);
}

BlobPtr BlobPtr::Make(size_t size, const std::function<void(char*)>& write) {
  Blob* blob = Blob::Allocate(size);
  write(blob->Begin());
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
