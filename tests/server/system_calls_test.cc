// What a wake-up costs in system calls: one read and one write for each client that has said
// something, however much that is, and none to tell epoll of it.
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <atomic>
#include <mutex>
#include <ostream>
#include <thread>

#include "tests/server/node_fixture.h"
#include "tests/server/test_client.h"

namespace {

struct Calls {
  uint64_t wake_ups = 0;  // of epoll_wait, with something to do
  uint64_t reads = 0;
  uint64_t writes = 0;
  uint64_t controls = 0;  // epoll_ctl

  Calls operator-(const Calls& other) const {
    return {wake_ups - other.wake_ups, reads - other.reads, writes - other.writes,
            controls - other.controls};
  }
  bool operator==(const Calls&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Calls& calls) {
    return out << calls.wake_ups << " wake-ups, " << calls.reads << " reads, " << calls.writes
               << " writes, " << calls.controls << " epoll_ctl";
  }
};

// Whoever reads this is the thread that is looked at.
constexpr std::string_view kMarker = "PING\r\n";
thread_local bool is_watched = false;
std::mutex counted_mutex;
Calls counted;
// Whoever holds it holds the thread that is looked at, before it asks for events again.
std::mutex gate;
std::atomic<bool> at_gate{false};

void Count(uint64_t Calls::*call) {
  if (!is_watched) return;
  const std::lock_guard lock(counted_mutex);
  ++(counted.*call);
}

Calls Counted() {
  const std::lock_guard lock(counted_mutex);
  return counted;
}

ssize_t Wait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
  if (is_watched) {
    at_gate = true;
    const std::lock_guard lock(gate);
    at_gate = false;
  }
  const long ready = syscall(SYS_epoll_pwait, epoll, events, most, timeout, mask, _NSIG / 8);
  if (ready > 0) Count(&Calls::wake_ups);
  return ready;
}

}  // namespace

// libuv is a shared library: it calls these instead of libc's. A call is counted before it is made,
// so whoever has seen what it does finds it counted.
extern "C" {

ssize_t read(int fd, void* buffer, size_t size) {
  Count(&Calls::reads);
  const ssize_t got = syscall(SYS_read, fd, buffer, size);
  if (got > 0 && std::string_view(static_cast<char*>(buffer), static_cast<size_t>(got)) == kMarker)
    is_watched = true;
  return got;
}

ssize_t readv(int fd, const iovec* pieces, int count) {
  Count(&Calls::reads);
  return syscall(SYS_readv, fd, pieces, count);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  Count(&Calls::reads);
  return syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  Count(&Calls::writes);
  return syscall(SYS_write, fd, bytes, size);
}

ssize_t writev(int fd, const iovec* pieces, int count) {
  Count(&Calls::writes);
  return syscall(SYS_writev, fd, pieces, count);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  Count(&Calls::writes);
  return syscall(SYS_sendmsg, fd, message, flags);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  Count(&Calls::controls);
  return static_cast<int>(syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  return static_cast<int>(Wait(epoll, events, most, timeout, nullptr));
}

int epoll_pwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
  return static_cast<int>(Wait(epoll, events, most, timeout, mask));
}

}  // extern "C"

namespace cistern::server {
namespace {

constexpr int kRounds = 100;
constexpr std::string_view kMarked = "+PONG\r\n";

Config OneWorker() {
  Config config = NodeConfigForTests();
  config.server.workers = 1;
  return config;
}

// A client on TCP, and its socket.
struct Client {
  explicit Client(int fd) : socket(fd), end(fd) {}
  // What was sent is where the server's next read finds it.
  void SendAndArrive(std::string_view bytes) {
    end.Send(bytes);
    for (int left = 1; left > 0; std::this_thread::yield())
      ASSERT_EQ(ioctl(socket, SIOCOUTQ, &left), 0);
  }

  const int socket;
  TestClient end;
};

class SystemCallsTest : public ::testing::Test {
 protected:
  SystemCallsTest() : client_(node_.Connect()) {
    Ask(client_, kMarker, kMarked);
    Ask(client_, server::Ask({"SET", "c:k", value_}), "+OK\r\n");
  }
  static void Ask(Client& client, std::string_view requests, std::string_view replies) {
    client.end.Send(requests);
    ASSERT_EQ(client.end.Read(replies.size()), replies);
  }
  // What so many rounds of it cost.
  Calls Cost(const std::string& requests, const std::string& replies) {
    Ask(client_, requests, replies);  // buffers find their size
    const Calls before = Counted();
    for (int i = 0; i < kRounds; ++i)
      Ask(client_, requests, replies);
    return Counted() - before;
  }
  // Until the gate opens the server sees nothing that clients send; client_ has asked kMarker.
  std::unique_lock<std::mutex> CloseGate() {
    std::unique_lock closed(gate);
    client_.end.Send(kMarker);
    while (!at_gate)
      std::this_thread::yield();
    return closed;
  }
  static std::string Times(int times, const std::string& text) {
    std::string all;
    for (int i = 0; i < times; ++i)
      all += text;
    return all;
  }

  static constexpr Calls kOneEach{
      .wake_ups = kRounds, .reads = kRounds, .writes = kRounds, .controls = 0};
  const std::string value_ = std::string(32, 'v');
  const std::string get_ = server::Ask({"GET", "c:k"});
  NodeFixture node_{OneWorker()};
  Client client_;
};

TEST_F(SystemCallsTest, PipelineOfGetsIsOneReadAndOneWrite) {
  for (const int depth : {1, 16, 64})
    EXPECT_EQ(Cost(Times(depth, get_), Times(depth, Bulk(value_))), kOneEach) << depth;
}

TEST_F(SystemCallsTest, MgetIsOneReadAndOneWrite) {
  const std::string mget = "*21\r\n$4\r\nMGET\r\n" + Times(20, "$3\r\nc:k\r\n");
  EXPECT_EQ(Cost(mget, "*20\r\n" + Times(20, Bulk(value_))), kOneEach);
}

TEST_F(SystemCallsTest, PipelineOfSetsIsOneReadAndOneWrite) {
  const std::string set = server::Ask({"SET", "c:k", value_});
  EXPECT_EQ(Cost(Times(16, set), Times(16, "+OK\r\n")), kOneEach);
}

// Written from where they lie, without a copy.
TEST_F(SystemCallsTest, PipelineOfLargeValuesIsOneReadAndOneWrite) {
  const std::string large(16 << 10, 'v');
  Ask(client_, server::Ask({"SET", "c:large", large}), "+OK\r\n");
  EXPECT_EQ(Cost(Times(4, server::Ask({"GET", "c:large"})), Times(4, Bulk(large))), kOneEach);
}

TEST_F(SystemCallsTest, TwoClientsInOneWakeUpAreOneReadAndOneWriteEach) {
  Client other(node_.Connect());
  Ask(other, kMarker, kMarked);
  std::unique_lock<std::mutex> closed = CloseGate();
  client_.SendAndArrive(Times(16, get_));
  other.SendAndArrive(Times(16, get_));
  const Calls before = Counted();
  closed.unlock();
  const std::string replies = Times(16, Bulk(value_));
  EXPECT_EQ(client_.end.Read(kMarked.size() + replies.size()), std::string(kMarked) + replies);
  EXPECT_EQ(other.end.Read(replies.size()), replies);
  const Calls both{.wake_ups = 1, .reads = 2, .writes = 2, .controls = 0};
  EXPECT_EQ(Counted() - before, both);
}

// Where a read fills its buffer libuv would read again at once.
TEST_F(SystemCallsTest, WhatFillsTheBufferTwiceIsTwoWakeUps) {
  const std::string key = "c:" + std::string(4000, 'k');
  Ask(client_, server::Ask({"SET", key, value_}), "+OK\r\n");
  const std::string gets = Times(25, server::Ask({"GET", key}));
  std::unique_lock<std::mutex> closed = CloseGate();
  client_.SendAndArrive(gets);
  const Calls before = Counted();
  closed.unlock();
  const std::string replies = Times(25, Bulk(value_));
  EXPECT_EQ(client_.end.Read(kMarked.size() + replies.size()), std::string(kMarked) + replies);
  const Calls twice{.wake_ups = 2, .reads = 2, .writes = 2, .controls = 0};
  EXPECT_EQ(Counted() - before, twice);
}

}  // namespace
}  // namespace cistern::server
