// Holders: who holds a leased copy of which key. The owner's side of the lease.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/budget.h"
#include "cache/grace.h"
#include "cache/peer_picker.h"

namespace cistern::cache {

// Nobody that this process has granted a lease to.
inline constexpr NodeId kForgottenHolder = ~NodeId{0};

struct Holder {
  NodeId node = 0;
  Incarnation incarnation = 0;
  uint64_t granted = 0;  // sequence of the newest grant
  Instant ends;          // by the owner's clock, with allowance for the holder's
};

// When the owner may count a lease as over: it ends earlier for its holder, who counts from its own
// sending, by its own clock.
Instant LeaseEnd(Instant granted, Duration lease);

// The records of one shard. A record stays though its entry goes: it leaves only by an
// acknowledgement of a later notice, or when its lease has ended. Guarded by the shard's lock,
// which also makes a grant one with reading the value, and a list one with erasing it.
class Holders {
 public:
  // At most `capacity` records; charged to `budget`. `grace` outlives the records.
  Holders(Budget& budget, size_t capacity, const Grace& grace)
      : capacity_(capacity), budget_(budget), grace_(grace) {}
  ~Holders() { budget_.Release(ChargeKind::kHolders, charged_); }
  Holders(const Holders&) = delete;
  Holders& operator=(const Holders&) = delete;

  // Grants or renews: the sequence of the grant, or 0 when the table is full: then there is no
  // lease. The record ends `lease` x 1.01 + 20 ms after `now`, which must be a fresh reading.
  uint64_t Grant(std::string_view key, NodeId node, Incarnation incarnation, Instant now,
                 Duration lease);
  // Draws a notice's sequence and lists whom it must reach: everybody whose lease has not ended; in
  // the grace also kForgottenHolder, who cannot be told and whose lease ends with it.
  uint64_t StartNotice(std::string_view key, Instant now, std::vector<Holder>* holders);
  // Ends leases of this key and holder granted before notice `sequence`.
  void Acknowledge(std::string_view key, NodeId node, Incarnation incarnation, uint64_t sequence);
  // Against all rules: for mutants.
  void Forget(std::string_view key);
  // Drops records whose lease has ended, in the next `buckets` of the table; goes round.
  void Reclaim(Instant now, size_t buckets);

  size_t size() const { return size_; }

 private:
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  using Table = std::unordered_map<std::string, std::vector<Holder>, KeyHash, std::equal_to<>>;

  template <class DropWhich>
  void DropIf(Table::iterator at, DropWhich drop);
  void Recharge(std::string_view key, int64_t records);

  const size_t capacity_;
  Budget& budget_;
  const Grace& grace_;
  Table table_;
  size_t size_ = 0;
  uint64_t charged_ = 0;
  size_t reclaim_cursor_ = 0;
  uint64_t sequence_ = 0;  // grants and notices of this shard draw from one sequence
};

}  // namespace cistern::cache
