#include "server/worker.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "server/client_connection.h"

namespace cistern::server {
namespace {

// How often limits of time are looked at.
constexpr cache::Duration kCheckEvery = std::chrono::seconds(1);

// A socket on its way between threads: closed if nobody takes it.
class Carried {
 public:
  explicit Carried(int fd) : fd_(fd) {}
  Carried(const Carried&) = delete;
  Carried& operator=(const Carried&) = delete;
  ~Carried() {
    if (fd_ >= 0) close(fd_);
  }
  int Take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace

Worker::Worker(net::Loop& loop, const ServerContext& context) : loop_(loop), context_(context) {}

Worker::~Worker() = default;

void Worker::Adopt(int fd, uint64_t id, std::shared_ptr<const net::TlsContext> tls) {
  clients_.fetch_add(1, std::memory_order_relaxed);
  loop_.Post([this, id, carried = std::make_shared<Carried>(fd), tls = std::move(tls)] {
    if (is_stopping_) {
      clients_.fetch_sub(1, std::memory_order_relaxed);
    } else {
      Open(carried->Take(), id, tls);
    }
  });
}

void Worker::Open(int fd, uint64_t id, std::shared_ptr<const net::TlsContext> tls) {
  stats_.connections.Add();
  auto connection = std::make_unique<ClientConnection>(*this, id);
  if (!connection->Adopt(fd, std::move(tls))) {
    clients_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  connections_.emplace(id, std::move(connection));
  if (check_timer_ == 0) check_timer_ = loop_.After(kCheckEvery, [this] { CheckTimes(); });
}

void Worker::Drain(cache::Duration limit, std::function<void()> done) {
  loop_.Post([this, limit, done = std::move(done)] {
    is_stopping_ = true;
    drained_ = done;
    Unpause();
    drain_timer_ = loop_.After(limit, [this] { CloseNow(); });
    // Closing only comes back to Remove() in a later turn, so the map stays as it is.
    for (const auto& [id, connection] : connections_)
      connection->Drain();
    if (connections_.empty()) FinishDrain();
  });
}

void Worker::CloseAll() {
  loop_.Post([this] {
    is_stopping_ = true;
    CloseNow();
  });
}

void Worker::CloseNow() {
  for (const auto& [id, connection] : connections_)
    connection->Close();
  loop_.Cancel(std::exchange(check_timer_, 0));
}

void Worker::FinishDrain() {
  loop_.Cancel(std::exchange(drain_timer_, 0));
  if (const auto done = std::exchange(drained_, nullptr)) done();
}

void Worker::Pause(PauseMode mode, cache::Instant until) {
  paused_ = std::max(paused_, mode);
  paused_until_ = std::max(paused_until_, until);
  loop_.Cancel(pause_timer_);
  const cache::Duration left = paused_until_ - loop_.clock().Now();
  pause_timer_ = loop_.After(std::max(left, cache::Duration(0)), [this] { Unpause(); });
}

void Worker::Unpause() {
  paused_ = PauseMode::kNone;
  paused_until_ = cache::Instant();
  loop_.Cancel(std::exchange(pause_timer_, 0));
  for (const auto& [id, connection] : connections_)
    connection->GoOn();
}

// CLIENT runs always, or nobody could end the pause.
bool Worker::IsPaused(const Command& command) const {
  if (paused_ == PauseMode::kWrites) return (command.flags & kFlagWrite) != 0;
  return command.name != "client";
}

void Worker::ForEachClient(const std::function<void(ClientConnection&)>& visit) const {
  for (const auto& [id, connection] : connections_)
    visit(*connection);
}

// Posted work runs after the sockets of this turn had theirs, in the poll of the next one.
void Worker::ContinueNextTurn(ClientConnection& connection) {
  if (std::exchange(connection.in_continue_list_, true)) return;
  if (continued_.empty()) loop_.Post([this] { RunContinued(); });
  continued_.push_back(&connection);
}

void Worker::RunContinued() {
  // Those that are added meanwhile are for the turn after.
  std::vector<ClientConnection*> list;
  list.swap(continued_);
  for (ClientConnection* connection : list) {
    connection->in_continue_list_ = false;
    connection->Continue();
  }
}

void Worker::FlushAtTurnEnd(ClientConnection& connection) {
  if (std::exchange(connection.in_flush_list_, true)) return;
  if (flushed_.empty()) loop_.AtTurnEnd([this] { RunFlushes(); });
  flushed_.push_back(&connection);
}

void Worker::RunFlushes() {
  std::vector<ClientConnection*> list;
  list.swap(flushed_);
  for (ClientConnection* connection : list) {
    connection->in_flush_list_ = false;
    connection->FlushFinished();
  }
}

// Comes from the socket's close callback, never while a list is being run.
void Worker::Remove(ClientConnection& connection) {
  std::erase(continued_, &connection);
  std::erase(flushed_, &connection);
  connections_.erase(connection.state().id);
  clients_.fetch_sub(1, std::memory_order_relaxed);
  if (drained_ && connections_.empty()) FinishDrain();
}

void Worker::CheckTimes() {
  check_timer_ = 0;
  const cache::Instant now = loop_.clock().Now();
  for (const auto& [id, connection] : connections_)
    connection->CheckTime(now);
  if (!connections_.empty()) check_timer_ = loop_.After(kCheckEvery, [this] { CheckTimes(); });
}

}  // namespace cistern::server
