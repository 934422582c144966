#include "server/key_order.h"

#include <algorithm>
#include <cassert>

namespace cistern::server {

// Whether a member that joins the queue now stands at its front.
bool KeyOrder::Fits(const Queue& queue, bool writes) {
  return queue.empty() || (queue.size() == 1 && !writes && !queue.front().writes);
}

bool KeyOrder::MustWait(std::span<const uint64_t> keys, Access access) const {
  if (every_.empty()) return false;
  if (!Fits(every_, access == Access::kBarrier)) return true;
  if (access == Access::kBarrier) return false;
  return std::any_of(keys.begin(), keys.end(), [&](uint64_t key) {
    const auto found = queues_.find(key);
    return found != queues_.end() && !Fits(found->second, access == Access::kWrite);
  });
}

bool KeyOrder::Add(Ticket& ticket, std::span<const uint64_t> keys, Access access) {
  assert(!ticket.listed && access != Access::kNone);
  ticket.listed = true;
  ticket.waits_for = 0;
  Join(every_, ticket, access == Access::kBarrier);
  if (access != Access::kBarrier) {
    ticket.keys.assign(keys.begin(), keys.end());
    std::sort(ticket.keys.begin(), ticket.keys.end());
    ticket.keys.erase(std::unique(ticket.keys.begin(), ticket.keys.end()), ticket.keys.end());
    for (const uint64_t key : ticket.keys)
      Join(queues_[key], ticket, access == Access::kWrite);
  }
  return ticket.waits_for == 0;
}

void KeyOrder::Remove(Ticket& ticket, std::vector<Ticket*>& ready) {
  if (!ticket.listed) return;
  assert(ticket.waits_for == 0);
  ticket.listed = false;
  Leave(every_, ready);
  for (const uint64_t key : ticket.keys) {
    const auto found = queues_.find(key);
    Leave(found->second, ready);
    if (found->second.empty()) queues_.erase(found);
  }
  ticket.keys.clear();
}

void KeyOrder::Join(Queue& queue, Ticket& ticket, bool writes) {
  if (queue.empty() || writes || queue.back().writes)
    queue.push_back({.writes = writes, .waiting = {}});
  Group& group = queue.back();
  ++group.left;
  if (queue.size() == 1) return;
  group.waiting.push_back(&ticket);
  ++ticket.waits_for;
}

// A member of the front group is done.
void KeyOrder::Leave(Queue& queue, std::vector<Ticket*>& ready) {
  if (--queue.front().left > 0) return;
  queue.pop_front();
  if (queue.empty()) return;
  for (Ticket* ticket : queue.front().waiting) {
    if (--ticket->waits_for == 0) ready.push_back(ticket);
  }
  queue.front().waiting.clear();
}

}  // namespace cistern::server
