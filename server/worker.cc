#include "server/worker.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "server/client_connection.h"
#include "server/error_texts.h"
#include "server/turn_away.h"

namespace cistern::server {
namespace {

// How often limits of time are looked at.
constexpr cache::Duration kCheckEvery = std::chrono::seconds(1);
// What each client may run when much has been run in a turn: enough for who asks and waits, and for
// pipelines as deep as most are.
constexpr size_t kBusyAllowance = RequestBatch::kMost;
// Of those that wait for another turn so many are served in each, however busy it is.
constexpr size_t kLeastContinued = 8;
// All clients together may have this part of memory before they are held to their shares.
constexpr uint64_t kPartForClients = 8;
constexpr size_t kLeastShare = size_t{4} * 1024;

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

Worker::Worker(net::Loop& loop, const ServerContext& context)
    : loop_(loop), context_(context), unauthenticated_(config().server.unauthenticated_memory) {}

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
  UpdateFairShare();
  if (!HasRoom() && context_.cache.store().used(cache::ChargeKind::kClients) >
                        context_.cache.store().limit() / kPartForClients) {
    stats_.refused_connections.Add();
    clients_.fetch_sub(1, std::memory_order_relaxed);
    TurnAway(fd, tls ? "" : error_texts::kNoRoomForClient);
    return;
  }
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

void Worker::JoinAll(std::vector<Worker*> all) {
  all_ = std::move(all);
  unauthenticated_.SetLimit(config().server.unauthenticated_memory / all_.size());
}

bool Worker::HasRoom(uint64_t more) {
  cache::Store& store = cache().store();
  if (store.Excess(more) == 0) return true;
  if (eviction_.is_under_way()) return false;
  if (store.MakeRoomFor(more)) return true;
  eviction_.Ask(store.Excess(more));
  return false;
}

void Worker::Evict(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  stats_.evicted_clients.Add();
  found->second->Close();
}

// Each worker has its part of what all of them may cost.
void Worker::ChargeUnauthenticated(ClientConnection& client, uint64_t bytes) {
  unauthenticated_.Set(client.state().id, client, bytes);
  while (ClientConnection* oldest = unauthenticated_.Excess()) {
    unauthenticated_.Remove(oldest->state().id);
    stats_.closed_unauthenticated.Add();
    oldest->Close();
  }
}

void Worker::UpdateFairShare() {
  size_t clients = 0;
  for (const Worker* worker : all_)
    clients += worker->clients();
  const uint64_t part = context_.cache.store().limit() / kPartForClients;
  fair_share_ = std::max<size_t>(kLeastShare, part / std::max<size_t>(clients, 1));
  high_water_ = std::min<size_t>(
      {ClientConnection::kHighWater, config().server.output_limit / 2, fair_share_});
}

size_t Worker::TurnAllowance() {
  if (turn_ != loop_.turn()) {
    turn_ = loop_.turn();
    turn_commands_ = 0;
  }
  return is_busy() ? kBusyAllowance : ClientConnection::kTurnCommands;
}

// Posted work runs after the sockets of this turn had theirs, in the poll of the next one.
void Worker::ContinueNextTurn(ClientConnection& connection) {
  if (std::exchange(connection.in_continue_list_, true)) return;
  continued_.push_back(&connection);
  if (!std::exchange(continues_, true)) loop_.Post([this] { RunContinued(); });
}

void Worker::RunContinued() {
  continues_ = false;
  TurnAllowance();  // this may be the turn's first work
  // Those that are added meanwhile are for the turn after.
  size_t run = 0;
  for (size_t left = continued_.size(); left > 0 && (run < kLeastContinued || !is_busy()); --left) {
    ++run;
    ClientConnection* connection = continued_.front();
    continued_.pop_front();
    connection->in_continue_list_ = false;
    connection->Continue();
  }
  if (continued_.empty() || std::exchange(continues_, true)) return;
  loop_.Post([this] { RunContinued(); });
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
  turn_inputs_.Forget(connection);
  unauthenticated_.Remove(connection.state().id);
  connections_.erase(connection.state().id);
  clients_.fetch_sub(1, std::memory_order_relaxed);
  if (drained_ && connections_.empty()) FinishDrain();
}

void Worker::CheckTimes() {
  check_timer_ = 0;
  const cache::Instant now = loop_.clock().Now();
  UpdateFairShare();
  HasRoom();
  for (const auto& [id, connection] : connections_)
    connection->CheckTime(now);
  if (!connections_.empty()) check_timer_ = loop_.After(kCheckEvery, [this] { CheckTimes(); });
}

}  // namespace cistern::server
