// A worker on a loop of its own, with a small command table and clients over real sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "net/loop.h"
#include "server/client_state.h"
#include "server/config/config.h"
#include "server/pending_reply.h"
#include "server/worker.h"
#include "tests/server/test_client.h"

namespace cistern::server {

// Commands of the tests. In order of their keys' access:
//   PING, ECHO text, BIG bytes (a copied reply), PINNED bytes, QUIT, AUTH word, HELLO3, NOTHING
//   SLOW key (reads), SLOWSET key (writes), SLOWALL name (barrier): pending until Finish(key)
//   CLOSEOTHERS: closes all clients but who asks
//   PAUSE: as CLIENT PAUSE, for an hour; RUNJOBS: all of State().jobs
//   INSTANT key: pends and finishes at once
//   GETLATER key, SETLATER key value: pend, and are done by one of State().jobs
//   GET key (reads), SET key value (writes): at once, of a plain map
class TestCommands final : public CommandTable {
 public:
  TestCommands();
  const Command* FindCommand(std::string_view name) const override;

 private:
  std::vector<Command> rows_;
};

// What handlers touch; on the loop's thread, or while it does not run.
struct TestState {
  struct Executed {
    uint64_t client;
    uint64_t turn;
    std::string text;  // "GET k"
    cache::Duration time_allowed;
  };
  std::map<std::string, std::string, std::less<>> values;
  std::multimap<std::string, PendingReplyPtr> pending;  // by key, in the order of their starts
  std::vector<std::string> started;                     // keys of slow commands
  std::vector<std::function<void()>> jobs;              // of GETLATER and SETLATER
  std::vector<std::string> abandoned;
  bool logs = false;
  std::vector<Executed> log;
};
TestState& State();

// Time as the test says.
class TestClock final : public cache::Clock {
 public:
  cache::Instant Now() const override { return cache::Instant(cache::Duration(now_.load())); }
  cache::WallTime WallNow() const override { return {}; }
  void Advance(cache::Duration by) { now_ += by.count(); }

 private:
  std::atomic<int64_t> now_{1'000'000'000};
};

class TestServer {
 public:
  TestServer();
  ~TestServer();

  // Before Start(): limits to change, `memory` among them.
  ServerConfig& limits() { return config_.server; }
  void Start();
  TestClient Connect();
  uint64_t last_client() const { return last_client_; }

  Worker& worker() { return *worker_; }
  net::Loop& loop() { return loop_; }
  TestClock& clock() { return clock_; }
  const WorkerStats& stats() const { return worker_->stats(); }
  // Bytes that clients' buffers are charged.
  uint64_t charged() { return cache_->store().budget().used(cache::ChargeKind::kClients); }

  // Runs `task` on the loop and waits for it.
  void On(const std::function<void()>& task);
  // The oldest pending command of `key` replies with `value`.
  void Finish(const std::string& key, std::string_view value);
  std::vector<std::string> started();
  std::vector<std::string> abandoned();

  // Waits until it holds; it is told by counters of another thread. Fails after 10 s.
  static void Until(const std::function<bool()>& holds);
  void UntilExecuted(uint64_t commands);

 private:
  class NoPeers;

  Config config_;
  std::unique_ptr<cache::Snapshots<Config>> started_with_;
  TestCommands commands_;
  TestClock clock_;
  net::Loop loop_;
  std::unique_ptr<NoPeers> peers_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<Worker> worker_;
  uint64_t last_client_ = 0;
};

}  // namespace cistern::server
