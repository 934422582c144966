// Flight: one load of one key at its owner, together with everybody waiting for it (single flight).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cache/group.h"
#include "cache/key.h"
#include "cache/waiter.h"

namespace cistern::cache {

// Guarded by the shard's lock until it has left the table; then by whoever took it out.
struct Flight {
  std::string key;
  uint64_t hash = 0;
  Group* group = nullptr;
  Waiters waiters;
  Instant started;
  uint32_t mark = 0;      // in force when it began
  bool detached = false;  // its waiters are answered, nobody joins, its result is not kept
  Charge charge;
};

// The flights of one shard at keys that this node owns. What peers ask joins these only, never a
// flight that itself waits on a peer; so two nodes that disagree about an owner cannot wait for
// each other. Guarded by the shard's lock.
class Flights {
 public:
  Flight* Find(std::string_view key) const {
    const auto at = table_.find(key);
    return at == table_.end() ? nullptr : at->second.get();
  }
  void Add(std::shared_ptr<Flight> flight) {
    std::string_view key = flight->key;
    table_.emplace(key, std::move(flight));
  }
  // The flight has landed: it leaves unless it left before, detached.
  void Remove(const Flight& flight) {
    if (!flight.detached) table_.erase(flight.key);
  }
  void Detach(std::string_view key) {
    const auto at = table_.find(key);
    if (at == table_.end()) return;
    at->second->detached = true;
    table_.erase(at);
  }
  // Likewise each flight of which detach(key) is true.
  template <class Which>
  void DetachIf(Which detach) {
    std::erase_if(table_, [&](const auto& item) {
      if (detach(item.first)) item.second->detached = true;
      return item.second->detached;
    });
  }
  // Takes out those who wait; the flights go on for nobody.
  void TakeWaiters(Waiters* taken) {
    for (const auto& [key, flight] : table_) {
      flight->group->EndWaits(MoveInto(taken, flight->waiters));
    }
  }
  size_t size() const { return table_.size(); }

 private:
  std::unordered_map<std::string_view, std::shared_ptr<Flight>> table_;  // views into the flights
};

}  // namespace cistern::cache
