#include "server/key_order.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace cistern::server {

// Whether a member that joins the queue now stands at its front.
bool KeyOrder::Fits(const Queue& queue, bool writes) {
  return queue.empty() || (queue.size() == 1 && !writes && !queue.front().writes);
}

void KeyOrder::Ticket::set_keys(std::span<const uint64_t> keys) {
  has_one_ = keys.size() == 1;
  if (has_one_) {
    key_ = keys.front();
    return;
  }
  keys_.assign(keys.begin(), keys.end());
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
}

bool KeyOrder::MustWait(std::span<const uint64_t> keys, Access access) {
  if (every_.empty()) return false;
  if (!Fits(every_, access == Access::kBarrier)) return true;
  if (access == Access::kBarrier) return false;
  if (access == Access::kWrite) QueueReads();
  if (queues_.empty()) return false;
  return std::any_of(keys.begin(), keys.end(), [&](uint64_t key) {
    const auto found = queues_.find(key);
    return found != queues_.end() && !Fits(found->second, access == Access::kWrite);
  });
}

bool KeyOrder::Add(Ticket& ticket, std::span<const uint64_t> keys, Access access) {
  assert(!ticket.is_listed_ && access != Access::kNone);
  ticket.is_listed_ = true;
  ticket.waits_for_ = 0;
  Join(every_, ticket, access == Access::kBarrier);
  if (access == Access::kBarrier) return ticket.waits_for_ == 0;
  ticket.set_keys(keys);
  if (access == Access::kWrite) QueueReads();
  if (access == Access::kRead && queues_.empty()) {
    ticket.place_ = reads_.size();
    reads_.push_back(&ticket);
  } else {
    JoinKeys(ticket, access == Access::kWrite);
  }
  return ticket.waits_for_ == 0;
}

// None of them waits for a key: there was no write.
void KeyOrder::QueueReads() {
  for (Ticket* ticket : std::exchange(reads_, {}))
    JoinKeys(*ticket, false);
}

void KeyOrder::JoinKeys(Ticket& ticket, bool writes) {
  ticket.is_queued_ = true;
  for (const uint64_t key : ticket.keys())
    Join(queues_[key], ticket, writes);
}

void KeyOrder::Remove(Ticket& ticket, std::vector<Ticket*>& ready) {
  if (!ticket.is_listed_) return;
  assert(ticket.waits_for_ == 0);
  ticket.is_listed_ = false;
  Leave(every_, ready);
  if (std::exchange(ticket.is_queued_, false)) {
    for (const uint64_t key : ticket.keys()) {
      const auto found = queues_.find(key);
      Leave(found->second, ready);
      if (found->second.empty()) queues_.erase(found);
    }
  } else if (ticket.place_ < reads_.size() && reads_[ticket.place_] == &ticket) {
    reads_[ticket.place_] = reads_.back();
    reads_[ticket.place_]->place_ = ticket.place_;
    reads_.pop_back();
  }
  ticket.keys_.clear();
  ticket.has_one_ = false;
}

void KeyOrder::Join(Queue& queue, Ticket& ticket, bool writes) {
  if (queue.empty() || writes || queue.back().writes)
    queue.push_back({.writes = writes, .waiting = {}});
  Group& group = queue.back();
  ++group.left;
  if (queue.size() == 1) return;
  group.waiting.push_back(&ticket);
  ++ticket.waits_for_;
}

// A member of the front group is done.
void KeyOrder::Leave(Queue& queue, std::vector<Ticket*>& ready) {
  if (--queue.front().left > 0) return;
  queue.pop_front();
  if (queue.empty()) return;
  for (Ticket* ticket : queue.front().waiting) {
    if (--ticket->waits_for_ == 0) ready.push_back(ticket);
  }
  queue.front().waiting.clear();
}

}  // namespace cistern::server
