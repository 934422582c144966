#include "cache/entry.h"

#include <cassert>
#include <cstring>
#include <new>

#include "cache/key.h"

namespace cistern::cache {
namespace {

constexpr size_t kMostInlineKeyBytes = 2048;
static_assert(kLargestSlot <= UINT16_MAX);

// Slots are aligned to 8 bytes, and so is the body.
size_t AlignedForBlob(size_t offset) {
  return (offset + alignof(BlobPtr) - 1) / alignof(BlobPtr) * alignof(BlobPtr);
}

template <class T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Writes one part of a body after the other.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  template <class T>
  void Put(const T& value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void Put(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void Put(BlobPtr blob) {
    at_ += AlignedForBlob(reinterpret_cast<uintptr_t>(at_)) - reinterpret_cast<uintptr_t>(at_);
    new (at_) BlobPtr(std::move(blob));
    at_ += sizeof(BlobPtr);
  }

 private:
  char* at_;
};

}  // namespace

Entry* Entry::Make(const NewEntry& from, Slabs& slabs) {
  assert(from.key.size() <= kMaxKeyBytes && from.group < kMostGroups);
  assert(from.version.size() <= kMostVersionBytes);
  const std::string_view value = from.value ? from.value->bytes() : std::string_view();
  Entry head;
  if (!from.value) head.flags_ |= kNegative;
  if (from.role == Role::kHot) head.flags_ |= kHot;
  if (from.expires != kNever) head.flags_ |= kTtl;
  if (from.refresh_from != kNever) head.flags_ |= kSoft;
  if (!from.version.empty()) head.flags_ |= kVersion;
  head.group_ = static_cast<uint8_t>(from.group);
  head.mark_ = static_cast<uint16_t>(from.mark);

  size_t end = head.KeyOffset();
  if (from.key.size() > kMostInlineKeyBytes) {
    head.key_size_ = kFarKey;
    end = AlignedForBlob(end) + sizeof(BlobPtr);
  } else if (from.key.size() >= kLongKey) {
    head.key_size_ = kLongKey;
    end += sizeof(uint16_t) + from.key.size();
  } else {
    head.key_size_ = static_cast<uint8_t>(from.key.size());
    end += from.key.size();
  }
  const size_t version_bytes = from.version.empty() ? 0 : sizeof(uint16_t) + from.version.size();
  size_t total = sizeof(Entry) + end + value.size() + version_bytes;
  if (total > kLargestSlot) {
    head.flags_ |= kBlob;
    total = sizeof(Entry) + AlignedForBlob(end) + sizeof(BlobPtr) + version_bytes;
  } else {
    head.value_size_ = static_cast<uint16_t>(value.size());
  }

  const Ref slot = slabs.Allocate(total);
  if (slot == Ref::kNone) return nullptr;
  auto* entry = new (slabs.At(slot)) Entry(head);
  Writer body(entry->Body());
  if (from.expires != kNever) body.Put(from.expires);
  if (from.refresh_from != kNever) body.Put(from.refresh_from);
  if (head.key_size_ == kFarKey) {
    body.Put(MakeBlob(from.key));
  } else {
    if (head.key_size_ == kLongKey) body.Put(static_cast<uint16_t>(from.key.size()));
    body.Put(from.key);
  }
  if ((head.flags_ & kBlob) != 0) {
    body.Put(from.value);
  } else {
    body.Put(value);
  }
  if (version_bytes > 0) {
    body.Put(static_cast<uint16_t>(from.version.size()));
    body.Put(from.version);
  }
  return entry;
}

void Entry::Free(Entry* entry, Slabs& slabs) {
  if ((entry->flags_ & kBlob) != 0) entry->BlobAt(entry->ValueOffset())->~BlobPtr();
  if (entry->key_size_ == kFarKey) entry->BlobAt(entry->KeyOffset())->~BlobPtr();
  slabs.Free(slabs.RefOf(entry));
}

// A BlobPtr is moved as its bytes are: it does not know where it lies.
Entry* Entry::MoveTo(char* slot) {
  std::memcpy(slot, reinterpret_cast<const char*>(this), TotalBytes());
  return std::launder(reinterpret_cast<Entry*>(slot));
}

std::string_view Entry::LongKey() const {
  const char* at = Body() + KeyOffset();
  if (key_size_ == kFarKey) return (*BlobAt(KeyOffset()))->bytes();
  return {at + sizeof(uint16_t), Load<uint16_t>(at)};
}

// What it reads may be written at the same time; that is in the arena all the same, and any address
// may be prefetched. (It calls nothing that reads, or TSan would look on.)
#if defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("thread")))
#endif
void Entry::PrefetchBlob() const {
  const uint8_t flags = flags_;
  const size_t key_size = key_size_;
  if ((flags & kBlob) == 0 || key_size >= kLongKey) return;
  const size_t ends =
      ((flags & kTtl) != 0 ? sizeof(Instant) : 0) + ((flags & kSoft) != 0 ? sizeof(Instant) : 0);
  static_assert(sizeof(BlobPtr) == sizeof(const Blob*));
  const char* at = reinterpret_cast<const char*>(this + 1) + AlignedForBlob(ends + key_size);
  __builtin_prefetch(*reinterpret_cast<const Blob* const*>(at));
}

Instant Entry::expires() const {
  return (flags_ & kTtl) != 0 ? Load<Instant>(Body()) : kNever;
}

bool Entry::set_expires(Instant at) {
  if ((flags_ & kTtl) == 0) return at == kNever;
  std::memcpy(Body(), &at, sizeof at);
  return true;
}

Instant Entry::refresh_from() const {
  return (flags_ & kSoft) != 0 ? Load<Instant>(Body() + SoftOffset()) : kNever;
}

bool Entry::ClaimRefresh() {
  if ((flags_ & kRefreshing) != 0) return false;
  flags_ |= kRefreshing;
  return true;
}

size_t Entry::LongKeyEnd() const {
  const size_t at = KeyOffset();
  if (key_size_ == kFarKey) return AlignedForBlob(at) + sizeof(BlobPtr);
  return at + sizeof(uint16_t) + Load<uint16_t>(Body() + at);
}

size_t Entry::ValueOffset() const {
  return (flags_ & kBlob) != 0 ? AlignedForBlob(KeyEnd()) : KeyEnd();
}

size_t Entry::ValueEnd() const {
  return ValueOffset() + ((flags_ & kBlob) != 0 ? sizeof(BlobPtr) : value_size_);
}

size_t Entry::TotalBytes() const {
  return sizeof(Entry) + ValueEnd() +
         ((flags_ & kVersion) != 0 ? sizeof(uint16_t) + version().size() : 0);
}

const BlobPtr* Entry::BlobAt(size_t offset) const {
  return std::launder(reinterpret_cast<const BlobPtr*>(Body() + AlignedForBlob(offset)));
}

std::string_view Entry::BlobBytes() const {
  return (*BlobAt(ValueOffset()))->bytes();
}

std::string_view Entry::version() const {
  if ((flags_ & kVersion) == 0) return {};
  const char* at = Body() + ValueEnd();
  return {at + sizeof(uint16_t), Load<uint16_t>(at)};
}

}  // namespace cistern::cache
