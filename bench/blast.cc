// blast: keeps many connections of a Redis-speaking server busy and counts what comes back.
//
//   blast --port N [--connections 50] [--pipeline 16] [--keys 100000] [--seconds 1]
//         [--warmup 0.2] [--value-size 32] [--server-pid N] [--fill]
//
// --fill SETs every key once; otherwise uniform random GETs, all of them hits. Every reply is as
// long as every other, so bytes count replies; each connection's first reply is compared whole.
// Prints one line of JSON: operations, seconds, the server's CPU time in the same window (with
// --server-pid; all its threads), and how busy blast itself was.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

struct Options {
  uint16_t port = 0;
  size_t connections = 50;
  size_t pipeline = 16;
  uint64_t keys = 100000;
  double seconds = 1;
  double warmup = 0.2;
  size_t value_size = 32;
  int server_pid = 0;
  bool fill = false;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "blast: %s\n", what.c_str());
  std::exit(1);
}

double Seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// CPU time of all threads of a process, by the scheduler's own nanoseconds.
uint64_t CpuNanoseconds(int pid) {
  uint64_t sum = 0;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::ifstream file(task.path() / "schedstat");
    uint64_t on_cpu = 0;
    file >> on_cpu;
    sum += on_cpu;
  }
  if (error) Fail("no such process: " + std::to_string(pid));
  return sum;
}

class Connection {
 public:
  Connection(const Options& options, int epoll) : value_(options.value_size, 'v') {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      Fail(std::string("connect: ") + std::strerror(errno));
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = this;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket_, &event) != 0) Fail("epoll_ctl");
    expected_ =
        options.fill ? "+OK\r\n" : "$" + std::to_string(value_.size()) + "\r\n" + value_ + "\r\n";
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void AddGet(uint64_t key) { Append("*2\r\n$3\r\nGET\r\n", key); }
  void AddSet(uint64_t key) {
    Append("*3\r\n$3\r\nSET\r\n", key);
    output_ += "$" + std::to_string(value_.size()) + "\r\n" + value_ + "\r\n";
  }

  // Sends what was added. What the socket does not take at once would only mean that the pipeline
  // is deeper than its buffer, so waiting for it is right.
  void Flush() {
    size_t sent = 0;
    while (sent < output_.size()) {
      const ssize_t n = send(socket_, output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) Fail(std::string("send: ") + std::strerror(errno));
      sent += static_cast<size_t>(n);
    }
    output_.clear();
  }

  // Reads once; returns how many whole replies that completed.
  size_t Read() {
    static char buffer[1 << 18];
    const ssize_t n = recv(socket_, buffer, sizeof(buffer), 0);
    if (n <= 0) Fail("the server has closed a connection");
    const auto size = static_cast<size_t>(n);
    CheckFirstReply(std::string_view(buffer, size));
    const size_t replies = (unfinished_ + size) / expected_.size();
    unfinished_ = (unfinished_ + size) % expected_.size();
    pending_ -= replies;
    return replies;
  }

  size_t pending() const { return pending_; }

 private:
  void Append(std::string_view head, uint64_t key) {
    char text[32];
    const int size = std::snprintf(text, sizeof(text), "$16\r\nkey:%012llu\r\n",
                                   static_cast<unsigned long long>(key));
    output_.append(head).append(text, static_cast<size_t>(size));
    ++pending_;
  }

  void CheckFirstReply(std::string_view data) {
    if (first_.size() >= expected_.size()) return;
    first_.append(data.substr(0, expected_.size() - first_.size()));
    if (expected_.compare(0, first_.size(), first_) != 0) Fail("unexpected reply: " + first_);
  }

  int socket_ = -1;
  std::string value_;
  std::string expected_;
  std::string output_;
  std::string first_;
  size_t unfinished_ = 0;  // bytes of a reply that has not arrived whole
  size_t pending_ = 0;     // requests without a reply
};

class Blast {
 public:
  explicit Blast(const Options& options) : options_(options), epoll_(epoll_create1(0)) {
    for (size_t i = 0; i < options.connections; ++i)
      connections_.push_back(std::make_unique<Connection>(options, epoll_));
  }

  void Run() {
    for (auto& connection : connections_)
      Refill(*connection);
    if (!options_.fill) RunUntil(Seconds(CLOCK_MONOTONIC) + options_.warmup);
    const double cpu_begin = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t server_begin = ServerCpu();
    const double begin = Seconds(CLOCK_MONOTONIC);
    const uint64_t operations = RunUntil(begin + options_.seconds);
    const double elapsed = Seconds(CLOCK_MONOTONIC) - begin;
    const uint64_t server_cpu = ServerCpu() - server_begin;
    const double busy = (Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin) / elapsed;
    std::printf(
        "{\"operations\": %llu, \"seconds\": %.6f, \"server_cpu_ns\": %llu, \"busy\": %.3f}\n",
        static_cast<unsigned long long>(operations), elapsed,
        static_cast<unsigned long long>(server_cpu), busy);
  }

 private:
  uint64_t ServerCpu() const {
    return options_.server_pid == 0 ? 0 : CpuNanoseconds(options_.server_pid);
  }

  void Refill(Connection& connection) {
    for (size_t i = 0; i < options_.pipeline; ++i) {
      if (!options_.fill)
        connection.AddGet(random_() % options_.keys);
      else if (next_key_ < options_.keys)
        connection.AddSet(next_key_++);
    }
    connection.Flush();
  }

  // Until `end`, or when filling until all keys are answered. Returns the replies seen.
  uint64_t RunUntil(double end) {
    uint64_t replies = 0;
    epoll_event events[64];
    while (options_.fill ? filled_ < options_.keys : Seconds(CLOCK_MONOTONIC) < end) {
      const int count = epoll_wait(epoll_, events, 64, 1000);
      if (count <= 0) Fail("no reply for a second");
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[i].data.ptr);
        const size_t n = connection.Read();
        replies += n;
        filled_ += n;
        if (connection.pending() == 0) Refill(connection);
      }
    }
    return replies;
  }

  Options options_;
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::mt19937_64 random_{20261121};
  uint64_t next_key_ = 0;
  uint64_t filled_ = 0;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--fill") {
      options.fill = true;
      continue;
    }
    if (i + 1 == argc) Fail("no value for " + std::string(name));
    const double value = std::atof(argv[++i]);
    if (name == "--port")
      options.port = static_cast<uint16_t>(value);
    else if (name == "--connections")
      options.connections = static_cast<size_t>(value);
    else if (name == "--pipeline")
      options.pipeline = static_cast<size_t>(value);
    else if (name == "--keys")
      options.keys = static_cast<uint64_t>(value);
    else if (name == "--seconds")
      options.seconds = value;
    else if (name == "--warmup")
      options.warmup = value;
    else if (name == "--value-size")
      options.value_size = static_cast<size_t>(value);
    else if (name == "--server-pid")
      options.server_pid = static_cast<int>(value);
    else
      Fail("unknown option " + std::string(name));
  }
  if (options.port == 0 || options.connections == 0 || options.pipeline == 0 || options.keys == 0)
    Fail("--port, --connections, --pipeline and --keys must be above 0");
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Blast(Parse(argc, argv)).Run();
}
