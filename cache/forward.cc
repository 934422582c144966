#include "cache/forward.h"

#include "cache/key.h"
#include "cache/mutant.h"

namespace cistern::cache {

ForwardTable::OfKey ForwardTable::Of(std::string_view key, uint64_t hash) const {
  OfKey found;
  const auto [first, last] = table_.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    Request& request = *at->second;
    if (request.key != key) continue;
    (request.state == Request::State::kSent ? found.running : found.unsent) = &request;
  }
  return found;
}

RequestPtr ForwardTable::Join(std::string_view key, uint64_t hash, Group& group) {
  const OfKey there = Of(key, hash);
  if (IsMutant(Mutant::kLateJoin) && there.running != nullptr)
    return there.running->shared_from_this();
  if (there.unsent != nullptr) return there.unsent->shared_from_this();
  auto request = std::allocate_shared<Request>(Recycler<Request>(), key, hash, group);
  // Who comes second shows that the key is in demand: its request asks for a lease.
  if (there.running != nullptr && group.hot()) request->wish = Wish::kLease;
  table_.emplace(hash, request);
  return request;
}

RequestPtr ForwardTable::Dispatch(std::string_view key, uint64_t hash, bool half_time) {
  const OfKey there = Of(key, hash);
  if (there.unsent == nullptr || there.unsent->state != Request::State::kCollecting) return nullptr;
  if (!half_time && there.running != nullptr) return nullptr;
  there.unsent->state = Request::State::kDispatched;
  return there.unsent->shared_from_this();
}

void ForwardTable::MarkSent(Request& request, Instant now, uint32_t mark) {
  request.state = Request::State::kSent;
  request.sent = now;
  request.mark = mark;
}

void ForwardTable::Finish(Request& request) {
  request.state = Request::State::kFinished;
  request.charge.Reset();
  const auto [first, last] = table_.equal_range(request.hash);
  for (auto at = first; at != last; ++at) {
    if (at->second.get() != &request) continue;
    table_.erase(at);  // whoever calls holds it too
    return;
  }
}

void ForwardTable::Detach(std::string_view key) {
  if (table_.empty()) return;
  const auto [first, last] = table_.equal_range(HashKey(key));
  for (auto at = first; at != last;) {
    const auto here = at++;
    Request& request = *here->second;
    if (request.state != Request::State::kSent || request.key != key) continue;
    request.detached = true;
    table_.erase(here);
  }
}

void ForwardTable::TakeWaiters(Waiters* taken) {
  for (const auto& [hash, request] : table_)
    request->group.EndWaits(MoveInto(taken, request->waiters));
}

}  // namespace cistern::cache
