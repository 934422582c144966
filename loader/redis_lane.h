// RedisLane: one worker's side of a Redis backend: its loads and its connections.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loader/deadlines.h"
#include "loader/job.h"
#include "loader/redis.h"
#include "loader/redis_link.h"
#include "net/loop.h"

namespace cistern::loader {

// Used on its loop's thread. After Shutdown() it may be destroyed on any.
class RedisLane final : public std::enable_shared_from_this<RedisLane>, RedisLinkOwner {
 public:
  RedisLane(net::Loop& loop, std::shared_ptr<const RedisOptions> options);
  RedisLane(const RedisLane&) = delete;
  RedisLane& operator=(const RedisLane&) = delete;

  void Load(std::string_view key, LoadDone done);
  void Shutdown();

 private:
  void OnReady() override;
  void OnLost(const std::string& reason) override;

  void FlushAtTurnEnd();
  void Flush();
  void Send(RedisLink& link);
  std::vector<Job> TakeBatch();
  RedisLink* LeastLoaded();
  bool ConnectIdle();
  // Why a load need not even wait; nothing if it should.
  std::optional<cache::Error> WhyDown() const;
  void FailQueued(const cache::Error& error);
  cache::Error Trouble(const std::string& detail) const;

  net::Loop& loop_;
  const std::shared_ptr<const RedisOptions> options_;
  Deadlines deadlines_;
  std::deque<Job> queue_;  // not sent yet
  bool flush_pending_ = false;
  bool stopped_ = false;
  std::string last_failure_;
  std::vector<std::unique_ptr<RedisLink>> links_;
};

}  // namespace cistern::loader
