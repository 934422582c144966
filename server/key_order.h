// KeyOrder: on one connection, requests that share a key, one of them a write, run one after the
// other; all others overlap.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/command.h"

namespace cistern::server {

// Knows requests that are under way or have to wait, and nothing when there are none. Keys are told
// by their hash: two keys of one hash only wait for each other in vain. Not thread-safe.
//
// Each key has a queue of groups: a group is one write, or reads that came without a write between
// them. A request may run when its group is at the front of all its keys' queues. A barrier writes
// a key that all others read.
//
// As long as there are but reads they are only listed: the queues of their keys are made when the
// first write comes.
class KeyOrder {
 public:
  // One request. Stays in its place from Add() to Remove().
  class Ticket {
   private:
    friend class KeyOrder;

    std::span<const uint64_t> keys() const {
      return has_one_ ? std::span(&key_, 1) : std::span<const uint64_t>(keys_);
    }
    void set_keys(std::span<const uint64_t> keys);

    size_t waits_for_ = 0;  // queues at whose front others are
    size_t place_ = 0;      // in the list of reads, if it stands there
    uint64_t key_ = 0;      // most have one key
    std::vector<uint64_t> keys_;
    bool has_one_ = false;
    bool is_listed_ = false;
    bool is_queued_ = false;
  };

  KeyOrder() = default;
  KeyOrder(const KeyOrder&) = delete;
  KeyOrder& operator=(const KeyOrder&) = delete;

  bool empty() const { return every_.empty(); }
  // Whether a request that came now would have to wait. Keys may stand twice. REQUIRES: access is
  // not kNone.
  bool MustWait(std::span<const uint64_t> keys, Access access);
  // The request came, after all that were added before. Returns whether it may run at once.
  bool Add(Ticket& ticket, std::span<const uint64_t> keys, Access access);
  // The request is done; those that waited for it alone are appended to `ready`. A ticket that is
  // not listed is ignored. REQUIRES: it does not wait.
  void Remove(Ticket& ticket, std::vector<Ticket*>& ready);

 private:
  struct Group {
    bool writes;
    size_t left = 0;               // members not done yet
    std::vector<Ticket*> waiting;  // its members, as long as it is not at the front
  };
  using Queue = std::deque<Group>;

  static bool Fits(const Queue& queue, bool writes);
  static void Join(Queue& queue, Ticket& ticket, bool writes);
  static void Leave(Queue& queue, std::vector<Ticket*>& ready);

  void QueueReads();
  void JoinKeys(Ticket& ticket, bool writes);

  Queue every_;                 // of the key that barriers write and all others read
  std::vector<Ticket*> reads_;  // those whose keys have no queues
  std::unordered_map<uint64_t, Queue> queues_;
};

}  // namespace cistern::server
