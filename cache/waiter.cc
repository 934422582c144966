#include "cache/waiter.h"

namespace cistern::cache {

void Waiter::Finish(const Result<Loaded>& result, Lease lease, Duration ttl) const {
  if (!result) return Fail(result.error());
  if (client) return client->Done(Answer{result->value});
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

uint32_t FailAll(Waiters& waiters, const Error& error) {
  for (const Waiter& waiter : waiters)
    waiter.Fail(error);
  const auto count = static_cast<uint32_t>(waiters.size());
  waiters.clear();
  return count;
}

}  // namespace cistern::cache
