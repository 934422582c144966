#include "loader/redis_lane.h"

#include <hiredis/hiredis.h>

#include <algorithm>

#include "loader/redis_reply.h"

namespace cistern::loader {
namespace {

LoadResult ValueOf(const redisReply& reply, const std::string& group) {
  switch (reply.type) {
    case REDIS_REPLY_STRING:
      return Found({reply.str, reply.len});
    case REDIS_REPLY_NIL:
      return NotFound();
    case REDIS_REPLY_ERROR:
      return Failed(cache::errors::Backend(group, ErrorText(reply)));
    default:
      return Failed(cache::errors::Backend(group, "unexpected type of reply"));
  }
}

// One GET or MGET: the loads it asks for, answered by whatever comes.
void Answer(const std::vector<Job>& jobs, const std::string& group, const redisReply& reply) {
  if (jobs.size() == 1 || reply.type == REDIS_REPLY_ERROR) {
    const LoadResult result = ValueOf(reply, group);
    for (const Job& job : jobs)
      job.done->Done(result);
    return;
  }
  const bool fits = reply.type == REDIS_REPLY_ARRAY && reply.elements == jobs.size();
  for (size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].done->Done(fits ? ValueOf(*reply.element[i], group)
                            : Failed(cache::errors::Backend(group, "unexpected reply to MGET")));
  }
}

}  // namespace

RedisLane::RedisLane(net::Loop& loop, std::shared_ptr<const RedisOptions> options)
    : loop_(loop),
      options_(std::move(options)),
      deadlines_(loop, options_->group, options_->timeout) {
  RedisLinkOwner& owner = *this;
  for (int i = 0; i < std::max(options_->connections, 1); ++i)
    links_.push_back(std::make_unique<RedisLink>(loop_, *options_, owner));
  deadlines_.OnExpired([this] {
    for (const auto& link : links_)
      link->DropIfLate();
  });
}

void RedisLane::Load(std::string_view key, LoadDone done) {
  if (stopped_) {
    done->Done(Failed(cache::errors::Shutdown()));
    return;
  }
  if (auto down = WhyDown()) {
    done->Done(Failed(std::move(*down)));
    return;
  }
  queue_.push_back({std::string(key), done});
  deadlines_.Add(std::move(done));
  FlushAtTurnEnd();
}

std::optional<cache::Error> RedisLane::WhyDown() const {
  std::optional<cache::Instant> since;
  for (const auto& link : links_) {
    const auto down = link->down_since();
    if (!down) return std::nullopt;
    since = std::min(since.value_or(*down), *down);
  }
  return cache::errors::BackendDown(options_->group, options_->address.ToString(),
                                    loop_.clock().Now() - *since, last_failure_);
}

// All keys of one turn go together.
void RedisLane::FlushAtTurnEnd() {
  if (flush_pending_) return;
  flush_pending_ = true;
  loop_.AtTurnEnd([weak = weak_from_this()] {
    if (const auto lane = weak.lock()) lane->Flush();
  });
}

void RedisLane::Flush() {
  flush_pending_ = false;
  if (stopped_ || queue_.empty()) return;
  const bool more_to_come = ConnectIdle();
  while (RedisLink* link = queue_.empty() ? nullptr : LeastLoaded())
    Send(*link);
  if (!queue_.empty() && !more_to_come) FailQueued(Trouble(last_failure_));
}

// Returns whether OnReady or OnLost will come: then what cannot be sent now waits for it.
bool RedisLane::ConnectIdle() {
  bool more_to_come = false;
  for (const auto& link : links_) {
    if (link->MayConnect()) link->Connect();
    more_to_come = more_to_come || link->state() != RedisLink::State::kIdle;
  }
  return more_to_come;
}

RedisLink* RedisLane::LeastLoaded() {
  RedisLink* best = nullptr;
  for (const auto& link : links_) {
    if (link->state() != RedisLink::State::kReady) continue;
    if (best == nullptr || link->pending() < best->pending()) best = link.get();
  }
  return best;
}

std::vector<Job> RedisLane::TakeBatch() {
  std::vector<Job> jobs;
  while (!queue_.empty() && jobs.size() < static_cast<size_t>(std::max(options_->batch, 1))) {
    // Loads that nobody waits for any more, and those that ran out of time, are not sent.
    if (queue_.front().done->pending()) jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return jobs;
}

void RedisLane::Send(RedisLink& link) {
  auto jobs = std::make_shared<const std::vector<Job>>(TakeBatch());
  if (jobs->empty()) return;
  std::vector<std::string_view> command{jobs->size() == 1 ? "GET" : "MGET"};
  for (const Job& job : *jobs)
    command.emplace_back(job.key);
  link.Send(command, [this, jobs](const RedisLink::Reply& reply) {
    if (reply) return Answer(*jobs, options_->group, **reply);
    const cache::Error error = stopped_ ? cache::errors::Shutdown() : Trouble(reply.error());
    for (const Job& job : *jobs)
      job.done->Done(Failed(error));
  });
}

void RedisLane::OnReady() {
  FlushAtTurnEnd();
}

void RedisLane::OnLost(const std::string& reason) {
  last_failure_ = reason;
  if (stopped_ || queue_.empty()) return;
  // What waited for this connect fails with it, unless another connection can take it, or this was
  // a good one: then a new connect may start at once.
  const bool another = std::any_of(links_.begin(), links_.end(), [](const auto& link) {
    return link->state() != RedisLink::State::kIdle || link->MayConnect();
  });
  if (another) {
    FlushAtTurnEnd();
  } else {
    FailQueued(Trouble(reason));
  }
}

void RedisLane::FailQueued(const cache::Error& error) {
  for (const Job& job : std::exchange(queue_, {}))
    job.done->Done(Failed(error));
}

cache::Error RedisLane::Trouble(const std::string& detail) const {
  return cache::errors::Backend(options_->group, detail);
}

void RedisLane::Shutdown() {
  if (std::exchange(stopped_, true)) return;
  FailQueued(cache::errors::Shutdown());
  deadlines_.Stop();
  for (const auto& link : links_)
    link->Close();
}

}  // namespace cistern::loader
