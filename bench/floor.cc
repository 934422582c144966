// floor: what a server costs that does nothing. It reads, counts the requests without
// looking into them, and answers each with the same value: what is left is the kernel's. A server
// of bench/side_by_side; keeps nothing, and must not be asked for values that hold a '*'.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

int MustSucceed(int result, const char* what) {
  if (result >= 0) return result;
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

int Listen(uint16_t port) {
  const int listener = MustSucceed(socket(AF_INET, SOCK_STREAM, 0), "socket");
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);  // the kernel spreads the clients
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  MustSucceed(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  MustSucceed(listen(listener, 512), "listen");
  return listener;
}

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  MustSucceed(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

// A pipeline asks the same again and again: its first request's name says how all are answered.
class Replies {
 public:
  explicit Replies(size_t value_size)
      : get_("$" + std::to_string(value_size) + "\r\n" + std::string(value_size, 'v') + "\r\n") {}

  std::string_view For(std::string_view input) {
    constexpr size_t kName = 8;  // behind "*2\r\n$3\r\n"
    if (input[0] == '*' && input.size() > kName) name_ = input[kName];
    const auto requests = static_cast<size_t>(std::count(input.begin(), input.end(), '*'));
    const std::string_view one = Reply();
    if (one != repeated_ || replies_.size() < one.size() * requests) {
      repeated_ = one;
      replies_.clear();
      for (size_t i = 0; i < std::max<size_t>(requests, kAtOnce); ++i)
        replies_ += one;
    }
    return std::string_view(replies_).substr(0, one.size() * requests);
  }

 private:
  static constexpr size_t kAtOnce = 64;

  std::string_view Reply() const {
    if (name_ == 'G') return get_;
    return name_ == 'P' ? "+PONG\r\n" : "+OK\r\n";
  }

  const std::string get_;
  char name_ = 'P';
  std::string_view repeated_;
  std::string replies_;
};

void Serve(int listener, size_t value_size) {
  std::vector<char> buffer(1 << 18);
  std::array<epoll_event, 1024> events;
  std::unordered_map<int, Replies> clients;
  const int epoll = MustSucceed(epoll_create1(0), "epoll_create1");
  Watch(epoll, listener);
  while (true) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == listener) {
        fd = MustSucceed(accept(listener, nullptr, nullptr), "accept");
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Watch(epoll, fd);
        clients.try_emplace(fd, value_size);
        continue;
      }
      const ssize_t got = read(fd, buffer.data(), buffer.size());
      if (got <= 0) {
        close(fd);
        clients.erase(fd);
        continue;
      }
      std::string_view reply = clients.at(fd).For({buffer.data(), static_cast<size_t>(got)});
      while (!reply.empty()) {
        const ssize_t sent = write(fd, reply.data(), reply.size());
        if (sent <= 0) break;
        reply.remove_prefix(static_cast<size_t>(sent));
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Answers every GET with the same value, for what the kernel alone costs.");
  uint16_t port = 0;
  size_t value_size = 32;
  app.add_option("--port", port, "on 127.0.0.1")->required();
  app.add_option("--value-size", value_size);
  size_t threads = 1;
  app.add_option("--threads", threads, "each with clients of its own")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  std::vector<std::jthread> others;
  for (size_t i = 1; i < threads; ++i)
    others.emplace_back([=] { Serve(Listen(port), value_size); });
  Serve(Listen(port), value_size);
}
