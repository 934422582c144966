// Worker: the clients of one loop.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "cache/cache.h"
#include "cache/snapshots.h"
#include "net/loop.h"
#include "net/tls_context.h"
#include "server/client_eviction.h"
#include "server/command.h"
#include "server/config/config.h"
#include "server/deadlines.h"
#include "server/output.h"
#include "server/request_batch.h"
#include "server/turn_inputs.h"
#include "server/unauthenticated_clients.h"
#include "server/worker_stats.h"

namespace cistern::server {

class ClientConnection;
class Node;

// What CLIENT PAUSE holds back.
enum class PauseMode : uint8_t { kNone, kWrites, kAll };

// What all workers of a node share. Everything outlives them.
struct ServerContext {
  const cache::Snapshots<Config>& config;
  const CommandTable& commands;
  cache::Cache& cache;
  // What handlers need beyond this; opaque here. Null in tests of the serving alone.
  Node* node = nullptr;
};

// Methods are for the loop's thread, but those marked (thread-safe). Destroyed before its loop,
// when that has stopped or never ran; CloseAll() comes before the loop's Stop().
class Worker {
 public:
  Worker(net::Loop& loop, const ServerContext& context);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Takes over an accepted socket as the client `id`; `tls` as in net::Stream. Counts at once in
  // clients(). (thread-safe)
  void Adopt(int fd, uint64_t id, std::shared_ptr<const net::TlsContext> tls = nullptr);
  // Reads no more; each connection closes when it has answered what it has received, and all at the
  // latest after `limit`. Then calls `done` on the loop's thread, once. New clients are turned
  // away. (thread-safe)
  void Drain(cache::Duration limit, std::function<void()> done);
  // Closes every connection and cancels what is pending for it. (thread-safe)
  void CloseAll();
  // Holds back what clients ask, from their next requests on, until then or Unpause(). A pause in
  // force is only ever made longer and stricter. What is held back runs afterwards, in order.
  void Pause(PauseMode mode, cache::Instant until);
  void Unpause();
  bool HoldsBack(const Command& command) const {
    return paused_ != PauseMode::kNone && IsPaused(command);
  }

  // Whether so many bytes more may be kept in memory: evicts entries if it must, and if that does
  // not do, asks the costliest clients to pay.
  bool HasRoom(uint64_t more = 0);
  // What one of all clients may hold without being more than its part of an eighth of `memory`.
  size_t fair_share() const { return fair_share_; }
  // Above so much unread, a client's requests wait: its fair share, or less.
  size_t high_water() const { return high_water_; }
  ClientEviction& eviction() { return eviction_; }
  // Closes the client, if it is still there, because memory is full.
  void Evict(uint64_t id);

  // (thread-safe)
  size_t clients() const { return clients_.load(std::memory_order_relaxed); }
  const WorkerStats& stats() const { return stats_; }
  net::Loop& loop() { return loop_; }
  // Of requests that wait.
  Deadlines& deadlines() { return deadlines_; }
  // What holds now: it may be another one in the next event.
  const Config& config() const { return context_.config.now(); }
  const CommandTable& commands() const { return context_.commands; }
  cache::Cache& cache() { return context_.cache; }
  // REQUIRES: the context has one.
  Node& node() { return *context_.node; }
  // For CLIENT LIST and the like. `visit` may close the client.
  void ForEachClient(const std::function<void(ClientConnection&)>& visit) const;
  // All workers of the node, this one among them: itself alone unless JoinAll() said more.
  std::span<Worker* const> all() const { return all_; }
  // Before the first client.
  void JoinAll(std::vector<Worker*> all);

  // Of all clients in one turn, before each gets but a little: as much as one of them may run.
  static constexpr size_t kBusyTurn = 512;

 private:
  friend class ClientConnection;

  void Open(int fd, uint64_t id, std::shared_ptr<const net::TlsContext> tls);
  void UpdateFairShare();
  // Commands that one client may run at once in this turn: fewer when many have run already, so
  // that however many send much at once, a turn stays short.
  size_t TurnAllowance();
  // What a client costs that has not authenticated; may close it, or another.
  void ChargeUnauthenticated(ClientConnection& client, uint64_t bytes);
  bool is_busy() const { return turn_commands_ >= kBusyTurn; }
  // Another turn for a connection that has more to execute.
  void ContinueNextTurn(ClientConnection& connection);
  // Replies of it have finished.
  void FlushAtTurnEnd(ClientConnection& connection);
  // Its socket is closed: destroys it.
  void Remove(ClientConnection& connection);
  bool IsPaused(const Command& command) const;
  void RunContinued();
  void RunFlushes();
  void CheckTimes();
  void CloseNow();
  void FinishDrain();

  net::Loop& loop_;
  const ServerContext context_;
  std::vector<Worker*> all_{this};
  std::atomic<size_t> clients_{0};  // also those not opened yet
  WorkerStats stats_;
  Deadlines deadlines_{loop_};  // outlives the connections
  ClientEviction eviction_{*this};
  UnauthenticatedClients unauthenticated_;
  size_t fair_share_ = 0;
  size_t high_water_ = 0;
  uint64_t turn_ = 0;
  size_t turn_commands_ = 0;  // of all clients in that turn

  // Used by one connection at a time, each leaves them empty: replies of one event, and the
  // requests of one read.
  Output scratch_;
  RequestBatch batch_;
  TurnInputs turn_inputs_{loop_, context_.cache.store()};

  std::unordered_map<uint64_t, std::unique_ptr<ClientConnection>> connections_;  // by id
  std::deque<ClientConnection*> continued_;  // whoever waits longest in front
  std::vector<ClientConnection*> flushed_;
  cache::Executor::TimerId check_timer_ = 0;
  cache::Executor::TimerId drain_timer_ = 0;
  PauseMode paused_ = PauseMode::kNone;
  cache::Instant paused_until_;
  cache::Executor::TimerId pause_timer_ = 0;
  std::function<void()> drained_;
  bool continues_ = false;  // RunContinued() will come
  bool is_stopping_ = false;
};

}  // namespace cistern::server
