// Entry: one key's value, or the knowledge that it has none, as it lies in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "cache/blob.h"
#include "cache/clock.h"

namespace cistern::cache {

// In which capacity this node holds an entry.
enum class Role : uint8_t {
  kMain,  // it owns the key
  kHot,   // a leased copy of what another node owns
};

inline constexpr Instant kNever = Instant::max();
// Values up to so many bytes lie in the entry and are copied into replies; larger ones are blobs.
inline constexpr size_t kInlineValueBytes = 4096;

// What is to be kept; views are copied by Entry::Make.
struct NewEntry {
  std::string_view key;
  uint64_t hash = 0;
  uint16_t group = 0;
  Role role = Role::kMain;
  uint32_t mark = 0;         // in force when its load was sent (see Watermarks)
  BlobPtr value;             // null: not found
  Instant expires = kNever;  // hard: not used from then on
  Instant refresh_from =
      kNever;  // soft TTL: still used, but to be fetched anew (a lease's last quarter)
  std::string_view version;  // up to 65,535 bytes
};

// One allocation: this header, [soft TTL], key, then the value or a BlobPtr, then [version]. What
// is absent costs nothing. All fields are guarded by the shard's lock; an entry is never shared
// beyond it: small values are copied out, large ones pinned by their blob.
class Entry {
 public:
  static Entry* Make(const NewEntry& from);
  static void Free(Entry* entry);

  std::string_view key() const { return {Body() + SoftBytes(), key_size_}; }
  uint64_t hash() const { return hash_; }
  uint16_t group() const { return group_; }
  Role role() const { return (flags_ & kHot) != 0 ? Role::kHot : Role::kMain; }
  uint32_t mark() const { return mark_; }
  bool negative() const { return (flags_ & kNegative) != 0; }
  Instant expires() const { return expires_; }
  bool ExpiredAt(Instant now) const { return expires_ <= now; }
  void set_expires(Instant at) { expires_ = at; }  // by its EntryTable, which notes it
  Instant refresh_from() const;

  // The value's bytes: valid under the shard's lock, or as long as blob() is held.
  std::string_view value() const;
  BlobPtr blob() const { return (flags_ & kBlob) != 0 ? *BlobAt() : nullptr; }
  std::string_view version() const;

  bool hit() const { return (flags_ & kHit) != 0; }
  // Only the first one writes: the line is shared by all workers.
  void MarkHit() {
    if (!hit()) flags_ |= kHit;
  }
  // True the first time only: whoever gets it starts the one refresh.
  bool ClaimRefresh();

  // Bytes of the allocation with the allocator's own; without the blob's, which charges itself.
  size_t charge() const;

  // Brings header, key and a small value into the CPU's cache at once: they span two lines, and
  // missed one after the other each costs 100 ns and more.
  void Prefetch() const {
    __builtin_prefetch(this);
    __builtin_prefetch(reinterpret_cast<const char*>(this) + 64);
  }

  // For the queue or policy that the entry stands in.
  Entry* prev = nullptr;
  Entry* next = nullptr;
  uint32_t stamp = 0;
  uint8_t heat = 0;

 private:
  enum Flag : uint8_t {
    kNegative = 1,
    kBlob = 2,
    kSoft = 4,
    kVersion = 8,
    kHit = 16,
    kRefreshing = 32,
    kHot = 64,
  };

  Entry() = default;
  char* Body() { return reinterpret_cast<char*>(this + 1); }
  const char* Body() const { return reinterpret_cast<const char*>(this + 1); }
  size_t SoftBytes() const { return (flags_ & kSoft) != 0 ? sizeof(Instant) : 0; }
  size_t ValueOffset() const;
  const BlobPtr* BlobAt() const;

  uint8_t flags_ = 0;
  uint16_t group_ = 0;
  uint32_t mark_ = 0;
  uint32_t key_size_ : 18 = 0;    // keys end at 64 KiB
  uint32_t value_size_ : 14 = 0;  // of an inline value
  uint64_t hash_ = 0;
  Instant expires_ = kNever;
};

static_assert(sizeof(Entry) == 48);

}  // namespace cistern::cache
