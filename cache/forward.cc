#include "cache/forward.h"

#include <algorithm>

#include "cache/mutant.h"

namespace cistern::cache {

RequestPtr ForwardTable::Join(std::string_view key, uint64_t hash, Group& group) {
  auto at = table_.find(key);
  if (at == table_.end()) at = table_.emplace(key, Forward()).first;
  Forward& forward = at->second;
  if (IsMutant(Mutant::kLateJoin) && !forward.running.empty()) return forward.running.back();
  if (!forward.collecting) {
    forward.collecting = std::make_shared<Request>(key, hash, group);
    // Who comes second shows that the key is in demand: its request asks for a lease.
    if (!forward.running.empty() && group.hot()) forward.collecting->wish = Wish::kLease;
  }
  return forward.collecting;
}

RequestPtr ForwardTable::Dispatch(std::string_view key, bool half_time) {
  Forward* forward = Find(key);
  if (forward == nullptr || !forward->collecting) return nullptr;
  if (forward->collecting->state != Request::State::kCollecting) return nullptr;
  if (!half_time && !forward->running.empty()) return nullptr;
  forward->collecting->state = Request::State::kDispatched;
  return forward->collecting;
}

void ForwardTable::MarkSent(const RequestPtr& request, Instant now, uint32_t mark) {
  request->state = Request::State::kSent;
  request->sent = now;
  request->mark = mark;
  Forward& forward = *Find(request->key);
  forward.collecting = nullptr;
  forward.running.push_back(request);
}

void ForwardTable::Finish(const RequestPtr& request) {
  request->state = Request::State::kFinished;
  request->charge.Reset();
  Forward* forward = Find(request->key);
  if (forward == nullptr) return;
  if (forward->collecting == request) forward->collecting = nullptr;
  std::erase(forward->running, request);
  if (!forward->collecting && forward->running.empty()) table_.erase(request->key);
}

void ForwardTable::Detach(Table::iterator at) {
  if (at == table_.end()) return;
  for (const RequestPtr& request : at->second.running)
    request->detached = true;
  at->second.running.clear();
  if (!at->second.collecting) table_.erase(at);
}

void ForwardTable::TakeWaiters(Waiters* taken) {
  for (const auto& [key, forward] : table_) {
    std::vector<RequestPtr> requests = forward.running;
    if (forward.collecting) requests.push_back(forward.collecting);
    for (const RequestPtr& request : requests) {
      request->group.EndWaits(MoveInto(taken, request->waiters));
    }
  }
}

}  // namespace cistern::cache
