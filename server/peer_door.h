// PeerDoor: what other nodes ask of this one, handed to its cache.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "cluster/peer_service.h"

namespace cistern::server {

class PeerDoor final : public cluster::PeerService {
 public:
  // `cache` outlives it.
  explicit PeerDoor(cache::Cache& cache) : cache_(cache) {}

  cache::Budget& budget() override { return cache_.store().budget(); }
  void Prefetch(std::span<const cache::Key> keys) override {
    cache::Lookahead::AtOnce(cache_.store(), keys);
  }
  bool Find(cache::Executor& executor, const cluster::PeerLook& look, const Take& take) override;
  void Get(cache::Executor& executor, cluster::PeerGetRequest request,
           cache::CompletionPtr<cache::Result<cache::PeerReply>> done) override;
  void DropCopies(const cache::Notice& notice, cache::NodeId from) override;
  void Invalidate(cache::Executor& executor, std::vector<std::string> keys,
                  cache::CompletionPtr<cache::Result<int64_t>> done) override;
  void Purge(cache::Executor& executor, const cache::PurgeScope& scope, cache::PurgeRound round,
             cache::CompletionPtr<cache::Result<bool>> done) override {
    cache_.PurgeHere(executor, scope, round, std::move(done));
  }
  void ChangeOwners(cache::OwnerChange change) override { cache_.ChangeOwners(std::move(change)); }
  void CutDisputed() override { cache_.CutDisputed(); }
  void PeerHeard(cache::Duration longest_lease) override;

 private:
  cache::Cache& cache_;
};

}  // namespace cistern::server
