#include "tests/server/test_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <thread>

namespace cistern::server {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

// The cache of the tests has no groups, so that nobody asks for an owner.
class TestServer::NoPeers final : public cache::PeerPicker {
 public:
  cache::Pick Owner(std::string_view) const override { return {}; }
  bool IsReachable(cache::NodeId) const override { return true; }
  std::string SelfName() const override { return "test"; }
  void Fetch(cache::Executor&, cache::NodeId, std::shared_ptr<cache::PeerFetch>) override {}
  void Notify(cache::NodeId, cache::Incarnation, cache::Notice,
              cache::CompletionPtr<bool>) override {}
  void Invalidate(cache::Executor&, cache::NodeId, std::vector<std::string>,
                  cache::CompletionPtr<cache::Result<int64_t>>) override {}
};

TestClient::TestClient(int fd) : fd_(fd) {
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
}

TestClient::TestClient(TestClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

TestClient::~TestClient() {
  Close();
}

void TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(sent, 0) << "the server does not read";
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

size_t TestClient::SendSome(std::string_view bytes) {
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

std::string TestClient::Read(size_t bytes) {
  std::string data(bytes, '\0');
  size_t have = 0;
  while (have < bytes) {
    const ssize_t got = recv(fd_, data.data() + have, bytes - have, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "no reply comes";
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  data.resize(have);
  return data;
}

std::string TestClient::ReadSome() {
  std::string data(1 << 20, '\0');
  const ssize_t got = recv(fd_, data.data(), data.size(), MSG_DONTWAIT);
  data.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return data;
}

std::string TestClient::ReadToEnd() {
  std::string all;
  while (true) {
    char buffer[65536];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "it stays open";
    if (got <= 0) return all;
    all.append(buffer, static_cast<size_t>(got));
  }
}

void TestClient::EndSending() {
  EXPECT_EQ(shutdown(fd_, SHUT_WR), 0);
}

void TestClient::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

TestServer::TestServer() : loop_(0, clock_), peers_(std::make_unique<NoPeers>()) {
  State() = TestState();
  net::IgnoreSigpipe();
  config_.server.output_limit = 64 << 20;
  config_.server.request_timeout = std::chrono::seconds(5);
  cache::Executor* const executors[] = {&loop_};
  cache_ = std::make_unique<cache::Cache>(cache::Store::Options(), std::vector<cache::GroupSpec>(),
                                          executors, *peers_, clock_);
}

TestServer::~TestServer() {
  if (worker_ != nullptr) worker_->CloseAll();
  loop_.Stop();
  loop_.Join();
  State() = TestState();
}

void TestServer::Start() {
  worker_ = std::make_unique<Worker>(
      loop_, ServerContext{.config = config_, .commands = commands_, .cache = *cache_});
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

std::string Ask(std::initializer_list<std::string_view> args) {
  std::string request = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string_view arg : args)
    request += Bulk(arg);
  return request;
}

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

}  // namespace cistern::server
