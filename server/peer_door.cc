#include "server/peer_door.h"

namespace cistern::server {

bool PeerDoor::Find(cache::Executor& executor, const cluster::PeerLook& look, const Take& take) {
  return cache_.FindForPeer(executor,
                            {.key = look.key.bytes,
                             .node = look.from,
                             .incarnation = look.incarnation,
                             .epoch = look.epoch,
                             .wish = look.wish,
                             .deadline = {}},
                            look.key, look.now, take);
}

void PeerDoor::Get(cache::Executor& executor, cluster::PeerGetRequest request,
                   cache::CompletionPtr<cache::Result<cache::PeerReply>> done) {
  cache_.ServePeer(executor,
                   {.key = request.key,
                    .node = request.from,
                    .incarnation = request.incarnation,
                    .epoch = request.epoch,
                    .wish = request.wish,
                    .deadline = request.deadline},
                   std::move(done));
}

void PeerDoor::DropCopies(const cache::Notice& notice, cache::NodeId) {
  cache_.DropCopies(notice);
}

void PeerDoor::Invalidate(cache::Executor& executor, std::vector<std::string> keys,
                          cache::CompletionPtr<cache::Result<int64_t>> done) {
  cache::Recalls recalls;
  const cache::Result<int64_t> erased = cache_.InvalidateHere(executor, keys, &recalls);
  cache_.Confirm(executor, std::move(recalls), [done, erased] { done->Done(erased); });
}

void PeerDoor::PeerHeard(cache::Duration longest_lease) {
  cache_.HonourLeases(longest_lease);
  cache_.PeerHeard();
}

}  // namespace cistern::server
