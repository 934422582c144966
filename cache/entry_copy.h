// EntryCopy: a small entry, copied by whoever does not hold its shard's lock.
#pragma once

#include <cstddef>
#include <cstring>

#include "cache/entry.h"

namespace cistern::cache {

// Of one thread, on its stack; not initialised.
class EntryCopy {
 public:
  // Larger entries are read under the lock, where copying them once is most of the work.
  static constexpr size_t kMostBytes = 512;

  // Key and value of what may be an entry, or was one; null if they do not lie there, or are too
  // long. Nothing of it may be believed before the lock's version has been compared, see ShardLock.
  // REQUIRES: kMostBytes can be read at `place`.
  const Entry* Take(const char* place) {
    std::memcpy(bytes_, place, kLine);
    const auto* entry = reinterpret_cast<const Entry*>(bytes_);
    const size_t size = entry->BytesToValueEnd();
    if (size == 0 || size > kMostBytes) return nullptr;
    for (size_t at = kLine; at < size; at += kLine)
      std::memcpy(bytes_ + at, place + at, kLine);
    return entry;
  }

 private:
  static constexpr size_t kLine = 64;  // copied at once, without a call

  alignas(kLine) char bytes_[kMostBytes];
};

}  // namespace cistern::cache
