// Whatever a client sends to a whole node: each request gets exactly one reply, and the bytes of
// the replies are RESP. The first input byte chooses the node (even: open, odd: with a password),
// the second where the bytes are split.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "net/stream.h"
#include "server/arguments.h"
#include "server/config/load.h"
#include "server/node.h"
#include "tests/server/fuzz/command_mutator.h"

// libFuzzer's.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace cistern::server {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  fmt::print(stderr, "FACT VIOLATED: {}\n", what);
  std::abort();
}

// Group "c:" stores what is set, "b:" has a backend where nobody listens.
Config ConfigOf(const std::string& path, const std::string& password) {
  Config config = DefaultConfig();
  config.node.name = "a";
  config.server.listen = {"unix:" + path};
  config.server.workers = 1;
  config.server.memory = 64 << 20;
  config.server.password = password;
  config.admin.listen.clear();
  config.cluster.listen = config.cluster.advertise = "127.0.0.1:0";
  GroupConfig cached = DefaultGroup();
  cached.name = "cached";
  cached.prefix = "c:";
  cached.writes = WriteMode::kCache;
  GroupConfig broken = DefaultGroup();
  broken.name = "broken";
  broken.prefix = "b:";
  broken.backend.type = BackendType::kRedis;
  broken.backend.address = "127.0.0.1:1";
  config.groups = {cached, broken};
  return config;
}

class Server {
 public:
  explicit Server(const std::string& password) {
    char folder[] = "/tmp/cistern-fuzz-XXXXXX";
    if (mkdtemp(folder) == nullptr) Fail("no folder");
    folder_ = folder;
    auto node = Node::Start(ConfigOf(path(), password));
    if (!node) Fail(node.error());
    node_ = std::move(*node);
  }
  ~Server() {
    node_.reset();
    rmdir(folder_.c_str());
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Everything that comes back until the node closes.
  std::string Exchange(std::string_view first, std::string_view rest, bool ends) const {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path().copy(to.sun_path, sizeof to.sun_path - 1);
    const timeval patience{60, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) Fail("cannot connect");
    std::string replies;
    for (std::string_view part : {first, rest}) {
      // Read while sending: neither side may wait for the other for ever.
      while (!part.empty()) {
        const ssize_t sent = send(fd, part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) part.remove_prefix(static_cast<size_t>(sent));
        if (sent < 0 && errno != EAGAIN) part = {};
        if (sent < 0 && !Receive(fd, replies, MSG_DONTWAIT) && errno != EAGAIN) part = {};
      }
    }
    if (ends) shutdown(fd, SHUT_WR);
    while (Receive(fd, replies, 0)) {
    }
    if (errno == EAGAIN) Fail("it neither answers nor closes");
    close(fd);
    return replies;
  }

 private:
  static bool Receive(int fd, std::string& to, int flags) {
    char buffer[65536];
    errno = 0;
    const ssize_t got = recv(fd, buffer, sizeof buffer, flags);
    if (got > 0) to.append(buffer, static_cast<size_t>(got));
    return got > 0;
  }
  std::string path() const { return folder_ + "/s"; }

  std::string folder_;
  std::unique_ptr<Node> node_;
};

// Replies in `bytes`; pushes are none. Fails when the bytes are no RESP, or end inside a reply of a
// connection that was not `cut`.
size_t CountReplies(std::string_view bytes, bool cut) {
  size_t count = 0;
  std::vector<size_t> left;  // elements of the arrays that are open
  while (!bytes.empty()) {
    const char type = bytes[0];
    size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos || std::string_view("+-:$*_#,(=%~>").find(type) >= 13) {
      if (cut) return count;
      Fail(fmt::format("no reply: {:?}", bytes.substr(0, 100)));
    }
    const int64_t number = ParseInteger(bytes.substr(1, end - 1)).value_or(0);
    end += 2;
    if ((type == '$' || type == '=') && number >= 0) end += static_cast<size_t>(number) + 2;
    if (end > bytes.size()) {
      if (cut) return count;
      Fail("a reply without its end");
    }
    bytes.remove_prefix(end);
    const bool nests = type == '*' || type == '~' || type == '%' || type == '>';
    if (nests && number > 0) {
      left.push_back(static_cast<size_t>(number) * (type == '%' ? 2 : 1));
      continue;
    }
    while (!left.empty() && --left.back() == 0)
      left.pop_back();
    if (left.empty()) ++count;
  }
  if (!left.empty() && !cut) Fail("an array without its end");
  return count;
}

// Requests after which a connection need not answer one by one.
bool MayClose(const Words& words) {
  const std::string name = LowerCase(words[0]);
  if (name == "post" || name == "host:" || name == "quit") return true;
  if (name != "client" || words.size() < 2) return false;
  const std::string sub = LowerCase(words[1]);
  return sub == "kill" || sub == "reply";
}

// Holds up every later session.
bool Pauses(const Words& words) {
  return words.size() > 1 && LowerCase(words[0]) == "client" && LowerCase(words[1]) == "pause";
}

int Run(std::string_view input) {
  static const Server open{""};
  static const Server guarded{"secret"};
  if (input.size() < 2) return -1;
  const bool is_open = input[0] % 2 == 0;
  const std::string_view bytes = input.substr(2);
  const Session session = ReadSession(bytes);
  if (std::ranges::any_of(session.requests, Pauses)) return -1;
  const bool is_plain = is_open && !std::ranges::any_of(session.requests, MayClose);

  // What is not whole waits for more, or is an error that closes.
  std::string sent(bytes);
  if (session.is_whole) sent += "QUIT\r\n";
  const size_t split = static_cast<unsigned char>(input[1]) % (sent.size() + 1);
  const Server& server = is_open ? open : guarded;
  const std::string replies =
      server.Exchange(std::string_view(sent).substr(0, split), std::string_view(sent).substr(split),
                      !session.is_whole);
  // A KILL may be under way still when its own connection has ended: not of the next session.
  if (std::ranges::any_of(session.requests, MayClose))
    server.Exchange("", "PING\r\nQUIT\r\n", false);
  const size_t count = CountReplies(replies, !is_plain || !session.is_whole);
  const size_t most = session.requests.size() + 1;
  if (count > most || (is_plain && session.is_whole && count != most))
    Fail(fmt::format("{} replies to {} requests", count, most));
  return 0;
}

std::string MutateBytes(std::string bytes, size_t longest) {
  const size_t size = bytes.size();
  bytes.resize(longest);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(bytes.data()), size, longest));
  return bytes;
}

}  // namespace
}  // namespace cistern::server

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  cistern::net::IgnoreSigpipe();
  spdlog::default_logger()->set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cistern::server::Run({reinterpret_cast<const char*>(data), size});
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  using namespace cistern::server;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size < 2 || seed % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  auto requests = ReadSession(input.substr(2)).requests;
  CommandMutator mutator(seed, MutateBytes);
  for (unsigned changes = 1 + seed / 8 % 4; changes > 0; --changes)
    mutator.Change(requests);
  const std::string changed = std::string(input.substr(0, 2)) + WriteSession(requests);
  if (changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  changed.copy(reinterpret_cast<char*>(data), changed.size());
  return changed.size();
}
