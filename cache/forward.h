// Forward: the requests for one key that this node does not own: one running, one collecting.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/group.h"
#include "cache/waiter.h"

namespace cistern::cache {

// One request for one key, sent or to be sent. Guarded by the shard's lock, but for what is const.
struct Request {
  enum class State : uint8_t {
    kCollecting,  // GETs join; it waits for the one before it
    kDispatched,  // GETs still join; it is in the hands of whoever sends it
    kSent,        // nobody joins
    kFinished,
  };

  Request(std::string_view of, uint64_t key_hash, Group& its_group)
      : key(of), hash(key_hash), group(its_group) {}

  const std::string key;
  const uint64_t hash;
  Group& group;

  State state = State::kCollecting;
  Waiters waiters;
  Instant deadline;  // the latest of the waiters'
  Wish wish = Wish::kNone;
  bool background = false;  // renews a copy: goes out though nobody waits
  bool detached = false;    // once sent: an invalidation has passed, what it brings is not kept
  Instant sent;
  uint32_t mark = 0;  // of copies, in force when it was sent
  Charge charge;
};

using RequestPtr = std::shared_ptr<Request>;

// The requests of one key. A GET must be answered by a request that is sent after it arrived, so it
// joins the one that collects; the collecting one leaves when the running one has returned, or
// after half its time. A thousand cold GETs of a key cost two messages.
struct Forward {
  RequestPtr collecting;            // not sent yet; may be null
  std::vector<RequestPtr> running;  // sent; more than one only after half a time has passed
};

// Guarded by the shard's lock.
class ForwardTable {
 public:
  Forward* Find(std::string_view key) {
    const auto at = table_.find(key);
    return at == table_.end() ? nullptr : &at->second;
  }
  // The request that a GET which arrived now joins: the collecting one, made if there is none.
  RequestPtr Join(std::string_view key, uint64_t hash, Group& group);
  // Marks the collecting request as handed over if it may leave now: nothing runs, or `half_time`.
  // Returns it, or null when there is nothing to send.
  RequestPtr Dispatch(std::string_view key, bool half_time);
  // `request` leaves now, under `mark`.
  void MarkSent(const RequestPtr& request, Instant now, uint32_t mark);
  // `request` has returned, or was dropped unsent.
  void Finish(const RequestPtr& request);
  // Every request of the key that has been sent: its waiters are answered, its result is not kept.
  void Detach(std::string_view key) { Detach(table_.find(key)); }
  // Likewise for each key of which detach(key) is true.
  template <class Which>
  void DetachIf(Which detach) {
    for (auto at = table_.begin(); at != table_.end();) {
      const auto here = at++;
      if (detach(here->first)) Detach(here);
    }
  }
  // Takes out those who wait; the requests go on for nobody.
  void TakeWaiters(Waiters* taken);
  size_t size() const { return table_.size(); }

 private:
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  using Table = std::unordered_map<std::string, Forward, KeyHash, std::equal_to<>>;

  void Detach(Table::iterator at);

  Table table_;
};

}  // namespace cistern::cache
