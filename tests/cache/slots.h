// Slots: memory for entries that stand in no store.
#pragma once

#include <string>
#include <string_view>

#include "cache/entry.h"
#include "cache/key.h"

namespace cistern::test {

struct Slots {
  explicit Slots(uint64_t bytes = 1) : arena(bytes) {}

  cache::Arena arena;
  cache::SlabPages pages{arena};
  cache::Slabs slabs{pages};

  cache::Entry* Make(const cache::NewEntry& fresh) { return cache::Entry::Make(fresh, slabs); }
  cache::Entry* Make(std::string_view key, std::string value) {
    cache::NewEntry fresh;
    fresh.key = key;
    fresh.hash = cache::HashKey(key);
    fresh.value = cache::MakeBlob(value);
    return Make(fresh);
  }
  void Free(cache::Entry* entry) { cache::Entry::Free(entry, slabs); }
};

}  // namespace cistern::test
