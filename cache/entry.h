// Entry: one key's value, or the knowledge that it has none, as it lies in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "cache/blob.h"
#include "cache/clock.h"
#include "cache/key.h"
#include "cache/memory/slabs.h"

namespace cistern::cache {

// In which capacity this node holds an entry.
enum class Role : uint8_t {
  kMain,  // it owns the key
  kHot,   // a leased copy of what another node owns
};

inline constexpr Instant kNever = Instant::max();
// What the header has bits for; a configuration with more groups is refused.
inline constexpr size_t kMostGroups = 256;
inline constexpr size_t kMostVersionBytes = 1024;

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
  std::string_view version;  // up to kMostVersionBytes
};

// One slot: this header, then [expiry], [soft TTL], [length of a long key], key, value, [version].
// What is absent costs nothing. Where that is longer than the largest slot the value is a BlobPtr,
// and a very long key is one always. All fields are guarded by the shard's lock; an
// entry is never shared beyond it: small values are copied out, large ones pinned by their blob.
class Entry {
 public:
  // nullptr: the slabs have no room.
  static Entry* Make(const NewEntry& from, Slabs& slabs);
  static void Free(Entry* entry, Slabs& slabs);
  // Moves it to another slot of its size. Who knows it by its place has to be told.
  Entry* MoveTo(char* slot);

  std::string_view key() const {
    return key_size_ < kLongKey ? std::string_view(Body() + KeyOffset(), key_size_) : LongKey();
  }
  // Reckoned from the key, in 10 ns.
  uint64_t hash() const { return HashKey(key()); }
  uint16_t group() const { return group_; }
  Role role() const { return (flags_ & kHot) != 0 ? Role::kHot : Role::kMain; }
  // The low bits of its mark.
  uint16_t mark() const { return mark_; }
  bool negative() const { return (flags_ & kNegative) != 0; }
  Instant expires() const;
  bool ExpiredAt(Instant now) const { return (flags_ & kTtl) != 0 && expires() <= now; }
  // False: it was made without an end, and has no room for one.
  bool set_expires(Instant at);  // by its EntryTable, which notes it
  Instant refresh_from() const;

  // The value's bytes: valid under the shard's lock, or as long as blob() has another owner.
  std::string_view value() const {
    return (flags_ & kBlob) == 0 ? std::string_view(Body() + KeyEnd(), value_size_) : BlobBytes();
  }
  // Of a large value, else null.
  const Blob* blob() const {
    return (flags_ & kBlob) != 0 ? BlobAt(ValueOffset())->get() : nullptr;
  }
  std::string_view version() const;

  bool hit() const { return (flags_ & kHit) != 0; }
  // Only the first one writes: the line is shared by all workers.
  void MarkHit() {
    if (!hit()) flags_ |= kHit;
  }
  // True the first time only: whoever gets it starts the one refresh.
  bool ClaimRefresh();

  // All of it that a reader wants; 0 if key or value lie elsewhere. Looks at the header only.
  size_t BytesToValueEnd() const {
    const bool is_far = (flags_ & kBlob) != 0 || key_size_ >= kLongKey;
    return is_far ? 0 : sizeof(Entry) + KeyOffset() + key_size_ + value_size_;
  }

  // Bytes of its slot; without blobs, which charge themselves.
  size_t charge() const { return Slabs::SlotBytes(TotalBytes()); }

  // Brings header, key and a small value into the CPU's cache at once: they span two lines, and
  // missed one after the other each costs 100 ns and more.
  void Prefetch() const {
    __builtin_prefetch(this);
    __builtin_prefetch(reinterpret_cast<const char*>(this) + 63);
  }
  // Likewise the head of a large value, where its length and owners stand. A hint: may be called
  // without the lock, and of what is no entry any more.
  void PrefetchBlob() const;

  // For the queue or policy that the entry stands in.
  Ref prev = Ref::kNone;
  Ref next = Ref::kNone;
  uint8_t heat = 0;

 private:
  enum Flag : uint8_t {
    kNegative = 1,
    kBlob = 2,
    kSoft = 4,
    kVersion = 8,
    kHit = 16,
    kRefreshing = 32,
    kTtl = 64,
    kHot = 128,
  };
  // Instead of the length of a key: it stands in the body; or the key is a BlobPtr.
  static constexpr uint8_t kLongKey = 254;
  static constexpr uint8_t kFarKey = 255;

  Entry() = default;
  char* Body() { return reinterpret_cast<char*>(this + 1); }
  const char* Body() const { return reinterpret_cast<const char*>(this + 1); }
  size_t SoftOffset() const { return (flags_ & kTtl) != 0 ? sizeof(Instant) : 0; }
  // Of the key's length, its BlobPtr, or the key itself.
  size_t KeyOffset() const { return SoftOffset() + ((flags_ & kSoft) != 0 ? sizeof(Instant) : 0); }
  size_t KeyEnd() const { return key_size_ < kLongKey ? KeyOffset() + key_size_ : LongKeyEnd(); }
  std::string_view LongKey() const;
  size_t LongKeyEnd() const;
  std::string_view BlobBytes() const;
  size_t ValueOffset() const;
  size_t ValueEnd() const;
  size_t TotalBytes() const;
  const BlobPtr* BlobAt(size_t offset) const;

  uint8_t flags_ = 0;
  uint8_t group_ = 0;
  uint8_t key_size_ = 0;
  uint16_t value_size_ = 0;  // of an inline value
  uint16_t mark_ = 0;
};

static_assert(sizeof(Entry) == 16);

}  // namespace cistern::cache
