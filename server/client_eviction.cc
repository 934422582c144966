#include "server/client_eviction.h"

#include <algorithm>
#include <utility>

#include "server/client_connection.h"
#include "server/gather.h"

namespace cistern::server {
namespace {

// A worker names so many at a time: what is too much once, may be so again.
constexpr size_t kMostNamed = 256;
// Beyond what is too much, so that not each further byte asks again.
constexpr uint64_t kMarginPart = 16;

}  // namespace

void ClientEviction::Ask(uint64_t excess) {
  if (has_asked_) return;
  has_asked_ = true;
  Worker* first = worker_.all().front();
  first->loop().Post([first, excess] { first->eviction().Begin(excess); });
}

void ClientEviction::Begin(uint64_t excess) {
  excess_ = std::max(excess_, excess);
  if (is_gathering_) return;
  is_gathering_ = true;
  const auto decide = [this](const std::vector<std::vector<Candidate>>& answers) {
    std::vector<Candidate> all;
    for (const auto& some : answers)
      all.insert(all.end(), some.begin(), some.end());
    Decide(std::move(all));
  };
  Gather<std::vector<Candidate>>(worker_, Candidates, decide);
}

std::vector<ClientEviction::Candidate> ClientEviction::Candidates(Worker& worker) {
  std::vector<Candidate> candidates;
  worker.ForEachClient([&](ClientConnection& client) {
    const size_t bytes = client.Costs().total;
    if (client.state().is_evictable && bytes > worker.fair_share())
      candidates.push_back({bytes, client.state().id, &worker});
  });
  const auto costs_more = [](const Candidate& a, const Candidate& b) { return a.bytes > b.bytes; };
  const size_t named = std::min(candidates.size(), kMostNamed);
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(named),
                    candidates.end(), costs_more);
  candidates.resize(named);
  return candidates;
}

void ClientEviction::Decide(std::vector<Candidate> candidates) {
  is_gathering_ = false;
  cache::Store& store = worker_.cache().store();
  const uint64_t margin = store.limit() / kMarginPart;
  store.MakeRoomFor(margin);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.bytes > b.bytes; });
  // What was asked for may have been the room for a request that is refused meanwhile: it will come
  // again. What several clients have pinned goes with the last of them, so count what was closed
  // and look again at the next asking.
  const uint64_t wanted = std::max(std::exchange(excess_, 0), store.Excess(margin));
  uint64_t closed = 0;
  for (const Candidate& one : candidates) {
    if (closed >= wanted) break;
    closed += one.bytes;
    one.worker->loop().Post([worker = one.worker, id = one.id] { worker->Evict(id); });
  }
  for (Worker* worker : worker_.all())
    worker->loop().Post([worker] { worker->eviction().has_asked_ = false; });
}

}  // namespace cistern::server
