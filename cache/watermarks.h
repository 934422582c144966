// Watermarks: how a whole group, or all copies, become invalid at once, in constant work.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "cache/entry.h"

namespace cistern::cache {

// Entries, flights and requests carry the mark that was in force when their load was sent. A purge
// raises it; whoever hits, joins, stores or grants compares under the shard's lock, so what was
// loaded before is absent from then on, and memory follows when the sweep comes by. All methods may
// be called from any thread.
class Watermarks {
 public:
  explicit Watermarks(size_t groups) : groups_(groups) {}

  // The mark in force for what is held of the group in that role. A sum of two counts that only
  // grow is the same only while neither has grown.
  uint32_t Of(size_t group, Role role) const {
    const uint32_t mark = groups_[group].load();
    return role == Role::kHot ? mark + copies_.load() : mark;
  }
  bool IsPast(const Entry& entry) const {
    return entry.mark() != static_cast<uint16_t>(Of(entry.group(), entry.role()));
  }

  // Everything loaded for the group so far, in any role, is past.
  void RaiseGroup(size_t group) {
    groups_[group].fetch_add(1);
    raised_.fetch_add(1);
  }
  // Every copy of what others own is past.
  void RaiseCopies() {
    copies_.fetch_add(1);
    raised_.fetch_add(1);
  }
  // Grows with every raise: tells a sweep that there is something to do.
  uint32_t raised() const { return raised_.load(std::memory_order_relaxed); }

 private:
  std::vector<std::atomic<uint32_t>> groups_;
  std::atomic<uint32_t> copies_{0};
  std::atomic<uint32_t> raised_{0};
};

}  // namespace cistern::cache
