#include "cache/entry.h"

#include <malloc.h>

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

#include "cache/key.h"

namespace cistern::cache {
namespace {

constexpr size_t kAllocatorHeader = 8;

// The largest sizes that the header has bits for.
constexpr uint32_t kKeyBits = (1U << 18) - 1;
constexpr uint32_t kValueBits = (1U << 14) - 1;
static_assert(kMaxKeyBytes <= kKeyBits && kInlineValueBytes <= kValueBits);

size_t AlignedForBlob(size_t offset) {
  return (offset + alignof(BlobPtr) - 1) / alignof(BlobPtr) * alignof(BlobPtr);
}

}  // namespace

Entry* Entry::Make(const NewEntry& from) {
  const bool is_blob = from.value && from.value->bytes().size() > kInlineValueBytes;
  uint8_t flags = 0;
  if (!from.value) flags |= kNegative;
  if (is_blob) flags |= kBlob;
  if (from.refresh_from != kNever) flags |= kSoft;
  if (!from.version.empty()) flags |= kVersion;
  if (from.role == Role::kHot) flags |= kHot;

  Entry shape;
  shape.flags_ = flags;
  assert(from.key.size() <= kMaxKeyBytes);
  shape.key_size_ = static_cast<uint32_t>(from.key.size()) & kKeyBits;
  if (from.value && !is_blob) {
    shape.value_size_ = static_cast<uint32_t>(from.value->bytes().size()) & kValueBits;
  }
  const size_t value_offset = shape.ValueOffset();
  const size_t value_bytes = is_blob ? sizeof(BlobPtr) : shape.value_size_;
  const size_t version_bytes = from.version.empty() ? 0 : sizeof(uint16_t) + from.version.size();
  const size_t total = sizeof(Entry) + value_offset + value_bytes + version_bytes;

  void* memory = std::malloc(total);
  if (memory == nullptr) throw std::bad_alloc();
  auto* entry = new (memory) Entry(shape);
  entry->hash_ = from.hash;
  entry->expires_ = from.expires;
  entry->group_ = from.group;
  entry->mark_ = from.mark;

  char* body = entry->Body();
  if ((flags & kSoft) != 0) std::memcpy(body, &from.refresh_from, sizeof(Instant));
  std::memcpy(body + entry->SoftBytes(), from.key.data(), from.key.size());
  if (is_blob) {
    new (body + value_offset) BlobPtr(from.value);
  } else if (shape.value_size_ > 0) {
    std::memcpy(body + value_offset, from.value->bytes().data(), shape.value_size_);
  }
  if (version_bytes > 0) {
    assert(from.version.size() <= UINT16_MAX);
    const auto size = static_cast<uint16_t>(from.version.size());
    char* at = body + value_offset + value_bytes;
    std::memcpy(at, &size, sizeof(size));
    std::memcpy(at + sizeof(size), from.version.data(), size);
  }
  return entry;
}

void Entry::Free(Entry* entry) {
  if ((entry->flags_ & kBlob) != 0) entry->BlobAt()->~BlobPtr();
  entry->~Entry();
  std::free(entry);
}

size_t Entry::charge() const {
  // malloc_usable_size takes void*, but only reads the allocator's header before the entry.
  return malloc_usable_size(const_cast<Entry*>(this)) + kAllocatorHeader;
}

Instant Entry::refresh_from() const {
  if ((flags_ & kSoft) == 0) return kNever;
  Instant at;
  std::memcpy(&at, Body(), sizeof(at));
  return at;
}

bool Entry::ClaimRefresh() {
  if ((flags_ & kRefreshing) != 0) return false;
  flags_ |= kRefreshing;
  return true;
}

size_t Entry::ValueOffset() const {
  const size_t offset = SoftBytes() + key_size_;
  return (flags_ & kBlob) != 0 ? AlignedForBlob(offset) : offset;
}

const BlobPtr* Entry::BlobAt() const {
  return std::launder(reinterpret_cast<const BlobPtr*>(Body() + ValueOffset()));
}

std::string_view Entry::value() const {
  if ((flags_ & kBlob) != 0) return (*BlobAt())->bytes();
  return {Body() + ValueOffset(), value_size_};
}

std::string_view Entry::version() const {
  if ((flags_ & kVersion) == 0) return {};
  const size_t value_bytes = (flags_ & kBlob) != 0 ? sizeof(BlobPtr) : value_size_;
  const char* at = Body() + ValueOffset() + value_bytes;
  uint16_t size = 0;
  std::memcpy(&size, at, sizeof(size));
  return {at + sizeof(size), size};
}

}  // namespace cistern::cache
