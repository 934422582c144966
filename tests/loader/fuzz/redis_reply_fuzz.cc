// Whatever bytes a Redis backend answers: every load is answered once, a value is made of bytes
// that came, and the next load, over whatever connection is left, finds a server that is well
// again. The first input byte says how many keys are asked for together, the second where the
// answer is split.
#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "loader/job.h"
#include "loader/redis.h"
#include "net/listener.h"
#include "net/stream.h"

namespace cistern::loader {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "FACT VIOLATED: %s\n", what);
  std::abort();
}

// Ends every wait after a failed connect.
class FastClock final : public cache::Clock {
 public:
  cache::Instant Now() const override { return cache::SystemClock().Now() + ahead; }
  cache::WallTime WallNow() const override { return cache::SystemClock().WallNow(); }
  cache::Duration ahead{0};
};

// Answers the first request with the input, in two parts, and closes; later ones as a server
// should.
class Backend {
 public:
  Backend(net::Loop& loop, const net::Address& address, std::string_view answer, size_t split)
      : loop_(loop), parts_{answer.substr(0, split), answer.substr(split)} {
    auto listener = net::Listener::Open(
        loop, address, [this](int fd) { clients_.push_back(std::make_unique<Client>(*this, fd)); });
    Require(listener.has_value(), "listens");
    listener_ = std::move(*listener);
  }

 private:
  struct Client : net::StreamDelegate {
    Client(Backend& to, int fd) : backend(to), stream(to.loop_, *this) {
      Require(stream.Adopt(fd).has_value(), "adopts");
    }
    void OnData(std::string_view) override {
      if (std::exchange(backend.is_well_, true)) return stream.Write("$4\r\nwell\r\n");
      stream.Write(backend.parts_[0]);
      backend.loop_.Post([this] {
        stream.Write(backend.parts_[1]);
        stream.CloseWhenWritten();
      });
    }
    void OnClosed(const net::CloseReason&) override {}
    Backend& backend;
    net::Stream stream;
  };

  net::Loop& loop_;
  const std::string_view parts_[2];
  bool is_well_ = false;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Client>> clients_;
};

class Session {
 public:
  Session(const std::string& path, std::string_view answer, size_t keys, size_t split)
      : answer_(answer), left_(keys) {
    const auto address = net::Address::Unix(path);
    backend_ = std::make_unique<Backend>(loop_, address, answer, split);
    RedisOptions options;
    options.group = "g";
    options.address = address;
    options.timeout = options.connect_timeout = std::chrono::seconds(20);
    options.max_reply = 4096;
    origin_ = std::make_unique<RedisOrigin>(options, std::vector<net::Loop*>{&loop_});
    for (size_t i = 0; i < keys; ++i)
      Load([this](const LoadResult& result) { OnAnswer(result); });
    loop_.After(std::chrono::seconds(60), [] { Require(false, "answers in time"); });
  }
  void Run() {
    loop_.Run();
    Require(loop_.left_open().empty(), "leaves nothing open");
    Require(is_over_, "answers the next load");
  }

 private:
  void Load(std::function<void(LoadResult)> done) {
    origin_->Load(loop_, "k", cache::Completion<LoadResult>::Make(loop_, std::move(done)));
  }

  void OnAnswer(const LoadResult& result) {
    if (result && result->value) {
      Require(answer_.find(result->value->bytes()) != std::string_view::npos, "value that came");
    } else if (result) {
      Require(answer_.find("-1") != std::string_view::npos, "absence that came");
    } else {
      Require(result.error().text.size() < 400, "short error");
    }
    if (--left_ > 0) return;
    // The connection ends a moment later; where it never was good, the next waits.
    loop_.After(std::chrono::milliseconds(1), [this] { LoadNext(); });
  }

  void LoadNext() {
    clock_.ahead += std::chrono::seconds(2);
    Load([this](const LoadResult& result) {
      // The end of the old connection may have overtaken the next load.
      if (!result && ++tries_ < 5) return LoadNext();
      Require(result && result->value && result->value->bytes() == "well", "is well again");
      is_over_ = true;
      origin_->Shutdown();
      backend_.reset();
      loop_.Stop();
    });
  }

  const std::string_view answer_;
  FastClock clock_;
  net::Loop loop_{0, clock_};
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<RedisOrigin> origin_;
  size_t left_;
  int tries_ = 0;
  bool is_over_ = false;
};

struct Folder {
  Folder() { Require(mkdtemp(name) != nullptr, "makes a folder"); }
  ~Folder() { rmdir(name); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  char name[32] = "/tmp/cistern-fuzz-XXXXXX";
};

void Run(std::string_view input) {
  static const Folder folder;
  if (input.size() < 2) return;
  const std::string_view answer = input.substr(2);
  const size_t keys = 1 + static_cast<unsigned char>(input[0]) % 4;
  const size_t split = static_cast<unsigned char>(input[1]) % (answer.size() + 1);
  Session(std::string(folder.name) + "/s", answer, keys, split).Run();
}

}  // namespace
}  // namespace cistern::loader

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  cistern::net::IgnoreSigpipe();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cistern::loader::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
