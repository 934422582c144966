#include "cache/waiter.h"

#include <algorithm>
#include <iterator>

namespace cistern::cache {

void Waiter::Finish(const Result<Loaded>& result, Lease lease, Duration ttl) const {
  if (!result) return Fail(result.error());
  if (client) return client->Done(Answer{result->value, {}});
  PeerReply reply;
  reply.loaded = *result;
  reply.lease = lease.length;
  reply.sequence = lease.sequence;
  reply.ttl = ttl;
  reply.source = source;
  peer->Done(std::move(reply));
}

void Waiter::Fail(const Error& error) const {
  if (client) {
    client->Done(tl::unexpected(error));
  } else {
    peer->Done(tl::unexpected(error));
  }
}

uint32_t MoveInto(Waiters* to, Waiters& from) {
  const auto count = static_cast<uint32_t>(from.size());
  if (to->empty()) {
    to->swap(from);
  } else {
    std::move(from.begin(), from.end(), std::back_inserter(*to));
    from.clear();
  }
  return count;
}

}  // namespace cistern::cache
