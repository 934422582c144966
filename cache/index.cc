#include "cache/index.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace cistern::cache {
namespace {

constexpr uint8_t kStuck = 255;
// Slots of these sizes leave little of a page unused.
constexpr uint32_t kCounts[] = {42, 51, 64};
// A segment that is full at this depth has been filled on purpose; it grows on, up to a byte's
// count of buckets.
constexpr int kMostDepth = 24;
constexpr uint32_t kMostBuckets = 255;
// Smaller directories are made in no time, and at once again.
constexpr int kFewestSpareBits = 5;

constexpr size_t MostEntries(uint32_t buckets) {
  return size_t{buckets} * 12 * 87 / 100;
}
static_assert(MostEntries(kCounts[2]) <= Index::kMostMoved);

uint32_t BucketsFor(size_t entries) {
  for (const uint32_t count : kCounts) {
    if (entries <= MostEntries(count)) return count;
  }
  return kMostBuckets;
}

uint64_t WordAt(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// What std::string_view does, but without a call for keys of 8 to 16 bytes: two words each, which
// may overlap.
bool IsSame(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const size_t last = a.size() - sizeof(uint64_t);
  if (last > sizeof(uint64_t)) return std::memcmp(a.data(), b.data(), a.size()) == 0;
  return WordAt(a.data()) == WordAt(b.data()) && WordAt(a.data() + last) == WordAt(b.data() + last);
}

}  // namespace

Index::Index(Slabs& tables, int skipped_bits)
    : arena_(tables.arena()), slabs_(tables), skipped_bits_(skipped_bits) {
  directories_.push_back(std::make_unique<Directory>(0, skipped_bits, MakeWords(0)));
  directory_bytes_ = sizeof(uint64_t);
  hint_.store(directories_.back().get());
  Publish(NewSegment(kCounts[0], 0), 0);
}

Index::~Index() {
  for (size_t i = 0; i < size_t{1} << directory().depth;) {
    const Segment segment = Segment::FromWord(directory().words[i].load());
    i += size_t{1} << (directory().depth - segment.depth);
    FreeSegment(segment);
  }
}

Index::Segment Index::NewSegment(uint32_t count, int depth) {
  buckets_ += count;
  const size_t bytes = count * sizeof(Bucket);
  const Ref slot = bytes <= kLargestSlot ? slabs_.Allocate(bytes) : Ref::kNone;
  // It must not fail because entries have taken all pages.
  void* memory = slot != Ref::kNone ? slabs_.At(slot)
                                    : ::operator new (bytes, std::align_val_t{alignof(Bucket)});
  auto* const buckets = static_cast<Bucket*>(memory);
  std::uninitialized_default_construct_n(buckets, count);
  return {buckets, count, depth};
}

void Index::FreeSegment(const Segment& segment) {
  buckets_ -= segment.count;
  if (arena_.Contains(segment.buckets)) return slabs_.Free(slabs_.RefOf(segment.buckets));
  ::operator delete (segment.buckets, std::align_val_t{alignof(Bucket)});
}

void Index::Publish(const Segment& segment, uint64_t hash) {
  const Directory& all = directory();
  const size_t span = size_t{1} << (all.depth - segment.depth);
  const size_t first = all.IndexOf(hash << skipped_bits_) / span * span;
  for (size_t i = first; i < first + span; ++i)
    all.words[i].store(segment.ToWord(), std::memory_order_release);
}

Entry* Index::Find(std::string_view key, uint64_t hash) const {
  Entry* found = nullptr;
  directory().Of(hash).Search(hash, [&](Ref ref) {
    Entry* entry = At(ref);
    entry->Prefetch();
    if (IsSame(entry->key(), key)) found = entry;
    return found != nullptr;
  });
  return found;
}

const Entry* Index::Copy(std::string_view key, uint64_t hash, EntryCopy& copy) const {
  const Segment segment = hint_.load(std::memory_order_acquire)->Of(hash);
  if (!arena_.Contains(segment.buckets)) return nullptr;  // it may be freed for good
  const Bucket& bucket = segment.buckets[segment.Home(hash)];
  for (uint32_t hits = bucket.Matches(Bucket::Tag(hash)); hits != 0; hits &= hits - 1) {
    const Ref ref = bucket.refs[__builtin_ctz(hits)];
    if (!arena_.HoldsAt(ref, EntryCopy::kMostBytes)) return nullptr;
    const Entry* entry = copy.Take(arena_.At(ref));
    if (entry == nullptr || IsSame(entry->key(), key)) return entry;
  }
  return nullptr;
}

// What it reads may be written at the same time, or belong to somebody else already: so any place
// may come out, but one in the arena, which stays.
#if defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("thread")))
#endif
const Entry*
Index::Candidate(const void* place, uint64_t hash) const {
  if (!arena_.Contains(place)) return nullptr;
  const auto* bucket = static_cast<const Bucket*>(place);
  const uint32_t hits = bucket->Matches(Bucket::Tag(hash));
  if (hits == 0) return nullptr;
  const Ref ref = bucket->refs[__builtin_ctz(hits)];
  return arena_.HoldsAt(ref, EntryCopy::kMostBytes) ? At(ref) : nullptr;
}

size_t Index::MovedBy(uint64_t hash) const {
  const Segment segment = directory().Of(hash);
  const size_t size = segment.buckets->size;
  return size >= MostEntries(segment.count) ? size : 0;
}

bool Index::Insert(Entry* entry, uint64_t hash) {
  Segment segment = directory().Of(hash);
  while (segment.buckets->size >= MostEntries(segment.count)) {
    if (!Grow(hash)) return false;
    segment = directory().Of(hash);
  }
  Place(segment, arena_.RefOf(entry), hash);
  ++size_;
  return true;
}

void Index::Place(const Segment& segment, Ref ref, uint64_t hash) {
  ++segment.buckets->size;
  for (uint32_t at = segment.Home(hash);; at = segment.After(at)) {
    Bucket& bucket = segment.buckets[at];
    const uint32_t free = bucket.Matches(0);
    if (free != 0) {
      const int slot = __builtin_ctz(free);
      bucket.tags[slot] = Bucket::Tag(hash);
      bucket.refs[slot] = ref;
      return;
    }
    if (bucket.overflowed != kStuck) ++bucket.overflowed;
  }
}

void Index::Remove(Entry* entry, uint64_t hash) {
  const Segment segment = directory().Of(hash);
  const uint8_t tag = Bucket::Tag(hash);
  const Ref ref = arena_.RefOf(entry);
  for (uint32_t at = segment.Home(hash);; at = segment.After(at)) {
    Bucket& bucket = segment.buckets[at];
    for (uint32_t hits = bucket.Matches(tag); hits != 0; hits &= hits - 1) {
      const int slot = __builtin_ctz(hits);
      if (bucket.refs[slot] != ref) continue;
      bucket.tags[slot] = 0;
      bucket.refs[slot] = Ref::kNone;
      --segment.buckets->size;
      --size_;
      return;
    }
    assert(bucket.overflowed > 0);
    if (bucket.overflowed != kStuck) --bucket.overflowed;
  }
}

void Index::Replace(Entry* entry, Entry* moved, uint64_t hash) {
  const Segment segment = directory().Of(hash);
  const Ref ref = arena_.RefOf(entry);
  for (uint32_t at = segment.Home(hash);; at = segment.After(at)) {
    Bucket& bucket = segment.buckets[at];
    for (uint32_t hits = bucket.Matches(Bucket::Tag(hash)); hits != 0; hits &= hits - 1) {
      Ref& slot = bucket.refs[__builtin_ctz(hits)];
      if (slot == ref) {
        slot = arena_.RefOf(moved);
        return;
      }
    }
    assert(bucket.overflowed > 0);
  }
}

void Index::PrefetchEntries(const Segment& segment, uint32_t at) const {
  if (at >= segment.count) return;
  const Bucket& bucket = segment.buckets[at];
  for (int slot = 0; slot < Bucket::kSlots; ++slot) {
    if (bucket.tags[slot] != 0) At(bucket.refs[slot])->Prefetch();
  }
}

bool Index::Grow(uint64_t hash) {
  const Segment full = directory().Of(hash);
  const bool splits = full.count >= kCounts[2];
  if (splits && full.depth < kMostDepth) {
    Split(full, hash);
    return true;
  }
  if (full.count == kMostBuckets) return false;
  moved_ += full.buckets->size;
  const Segment grown = NewSegment(BucketsFor(MostEntries(full.count) + 1), full.depth);
  for (uint32_t at = 0; at < full.count; ++at) {
    PrefetchEntries(full, at + 1);
    const Bucket& bucket = full.buckets[at];
    for (int slot = 0; slot < Bucket::kSlots; ++slot) {
      if (bucket.tags[slot] != 0) Place(grown, bucket.refs[slot], At(bucket.refs[slot])->hash());
    }
  }
  Publish(grown, hash);  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): packed into its word
  FreeSegment(full);
  return true;
}

void Index::Split(const Segment& full, uint64_t hash) {
  if (full.depth == directory().depth) DoubleDirectory();
  const int depth = full.depth + 1;
  const uint64_t bit = uint64_t{1} << (64 - skipped_bits_ - depth);
  size_t upper = 0;
  // Not on the heap, which may grow.
  std::array<std::pair<Ref, uint64_t>, kMostMoved> moved;
  size_t count = 0;
  for (uint32_t at = 0; at < full.count; ++at) {
    PrefetchEntries(full, at + 1);
    const Bucket& bucket = full.buckets[at];
    for (int slot = 0; slot < Bucket::kSlots; ++slot) {
      if (bucket.tags[slot] == 0) continue;
      moved[count] = {bucket.refs[slot], At(bucket.refs[slot])->hash()};
      if ((moved[count++].second & bit) != 0) ++upper;
    }
  }
  moved_ += count;
  const Segment halves[] = {NewSegment(BucketsFor(count - upper), depth),
                            NewSegment(BucketsFor(upper), depth)};
  for (const auto& [ref, of] : std::span(moved).first(count))
    Place(halves[(of & bit) != 0 ? 1 : 0], ref, of);
  Publish(halves[0], hash & ~bit);
  Publish(halves[1], hash | bit);
  FreeSegment(full);
}

int Index::WantedSpare() const {
  const int bits = directory().depth + 1;
  return bits < kFewestSpareBits || spare_bits_ == bits ? 0 : bits;
}

void Index::TakeSpare(int bits, Words words) {
  if (bits != WantedSpare()) return;
  spare_ = std::move(words);
  spare_bits_ = bits;
}

void Index::DoubleDirectory() {
  const Directory& old = directory();
  const int depth = old.depth + 1;
  auto twice = std::make_unique<Directory>(
      depth, skipped_bits_, spare_bits_ == depth ? std::move(spare_) : MakeWords(depth));
  for (size_t i = 0; i < size_t{1} << twice->depth; ++i)
    twice->words[i].store(old.words[i / 2].load());
  directory_bytes_ += sizeof(uint64_t) << twice->depth;
  directories_.push_back(std::move(twice));
  hint_.store(directories_.back().get(), std::memory_order_release);
}

}  // namespace cistern::cache
