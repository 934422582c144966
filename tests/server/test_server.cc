#include "tests/server/test_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <thread>

#include "server/config/load.h"

namespace cistern::server {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

// The cache of the tests has no groups, so that nobody asks for an owner.
class TestServer::NoPeers final : public cache::PeerPicker {
 public:
  cache::Pick Owner(std::string_view) const override { return {}; }
  bool IsReachable(cache::NodeId) const override { return true; }
  void Purge(cache::Executor&, const cache::PurgeScope&, cache::PurgeRound,
             cache::CompletionPtr<cache::Result<uint64_t>> done) override {
    done->Done(0);
  }
  std::vector<cache::PeerStart> Dissenters() const override { return {}; }
  std::string SelfName() const override { return "test"; }
  void Fetch(cache::Executor&, cache::NodeId, std::shared_ptr<cache::PeerFetch>) override {}
  void Notify(cache::NodeId, cache::Incarnation, cache::Notice,
              cache::CompletionPtr<bool>) override {}
  void Invalidate(cache::Executor&, cache::NodeId, std::vector<std::string>,
                  cache::CompletionPtr<cache::Result<int64_t>>) override {}
};

TestServer::TestServer() : loop_(0, clock_), peers_(std::make_unique<NoPeers>()) {
  State() = TestState();
  net::IgnoreSigpipe();
  config_ = DefaultConfig();
}

TestServer::~TestServer() {
  if (worker_ != nullptr) worker_->CloseAll();
  loop_.Stop();
  loop_.Join();
  State() = TestState();
}

void TestServer::Start() {
  started_with_ = std::make_unique<cache::Snapshots<Config>>(config_);
  cache::Executor* const executors[] = {&loop_};
  cache::Store::Options options;
  options.memory = config_.server.memory;
  cache_ = std::make_unique<cache::Cache>(options, std::vector<cache::GroupSpec>(), executors,
                                          *peers_, clock_);
  worker_ = std::make_unique<Worker>(
      loop_, ServerContext{.config = *started_with_, .commands = commands_, .cache = *cache_});
  loop_.Start();
}

TestClient TestServer::Connect() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  worker_->Adopt(ends[0], ++last_client_);
  return TestClient(ends[1]);
}

void TestServer::On(const std::function<void()>& task) {
  std::promise<void> done;
  loop_.Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void TestServer::Finish(const std::string& key, std::string_view value) {
  On([&] {
    const auto found = State().pending.find(key);
    ASSERT_NE(found, State().pending.end()) << key;
    const PendingReplyPtr pending = found->second;
    State().pending.erase(found);
    pending->reply().Bulk(value);
    pending->Finish();
  });
}

std::vector<std::string> TestServer::started() {
  std::vector<std::string> copy;
  On([&] { copy = State().started; });
  return copy;
}

std::vector<std::string> TestServer::abandoned() {
  std::vector<std::string> copy;
  On([&] { copy = State().abandoned; });
  return copy;
}

void TestServer::Until(const std::function<bool()>& holds) {
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit) << "it does not come true";
    std::this_thread::yield();
  }
}

void TestServer::UntilExecuted(uint64_t commands) {
  Until([&] { return stats().commands.value() >= commands; });
}

}  // namespace cistern::server
