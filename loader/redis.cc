#include "loader/redis.h"

#include <cassert>

#include "loader/redis_lane.h"

namespace cistern::loader {

RedisOrigin::RedisOrigin(RedisOptions options, const std::vector<net::Loop*>& loops) {
  const auto shared = std::make_shared<const RedisOptions>(std::move(options));
  for (net::Loop* loop : loops) {
    assert(loop->index() == static_cast<int>(places_.size()));
    places_.push_back({loop, std::make_shared<RedisLane>(*loop, shared)});
  }
}

RedisOrigin::~RedisOrigin() {
  Shutdown();
}

void RedisOrigin::Load(cache::Executor& executor, std::string_view key, LoadDone done) {
  places_[static_cast<size_t>(executor.index())].lane->Load(key, std::move(done));
}

void RedisOrigin::Shutdown() {
  for (const Place& place : places_)
    place.loop->Post([lane = place.lane] { lane->Shutdown(); });
}

}  // namespace cistern::loader
