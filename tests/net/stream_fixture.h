// Two ends of a connection on one loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/listener.h"
#include "net/stream.h"
#include "tests/net/loop_fixture.h"

namespace cistern::net {

// Lets go of what `object` shares when it is destroyed.
inline Owner OwnerOf(std::shared_ptr<const std::string> object) {
  using Shared = std::shared_ptr<const std::string>;
  return {new Shared(std::move(object)),
          LetGo{[](const void* held) { delete static_cast<const Shared*>(held); }}};
}

// One end: records what it hears, and does what the test says.
struct End : StreamDelegate {
  explicit End(Loop& loop) : stream(std::make_unique<Stream>(loop, *this)) {}

  void OnOpen() override {
    ++opened;
    if (on_open) on_open();
  }
  std::span<char> ReadBuffer() override { return room; }
  void OnData(std::string_view bytes) override {
    received += bytes;
    ++reads;
    if (on_data) on_data(bytes);
  }
  void OnWritable() override {
    ++writable;
    if (on_writable) on_writable();
  }
  bool OnEnd() override {
    ++ended;
    return stays_open_at_end;
  }
  void OnClosed(const CloseReason& why) override {
    ++closed;
    reason = why;
    if (on_closed) on_closed();
  }

  std::string received;
  int opened = 0, reads = 0, writable = 0, ended = 0, closed = 0;
  std::optional<CloseReason> reason;
  bool stays_open_at_end = false;
  std::span<char> room;
  std::function<void()> on_open, on_writable, on_closed;
  std::function<void(std::string_view)> on_data;
  std::unique_ptr<Stream> stream;  // last: its end may not call what is gone
};

class StreamTest : public LoopTest {
 protected:
  static constexpr auto kLong = std::chrono::seconds(30);

  StreamTest() {
    clean_up_ = [this] {
      listener_.reset();
      client_.stream.reset();
      server_.stream.reset();
    };
  }

  // The first accepted connection becomes `server_`.
  void Listen(const Address& address = Address::Tcp("127.0.0.1", 0)) {
    auto listener = Listener::Open(loop_, address, [this](int fd) {
      ASSERT_TRUE(server_.stream->Adopt(fd).has_value());
      if (on_accept_) on_accept_();
    });
    ASSERT_TRUE(listener.has_value()) << listener.error();
    listener_ = std::move(*listener);
  }
  void Connect() { client_.stream->Connect(listener_->address(), kLong); }
  void FinishOnClose(End& end) {
    end.on_closed = [this] { Finish(); };
  }

  std::unique_ptr<Listener> listener_;
  End client_{loop_};
  End server_{loop_};
  std::function<void()> on_accept_;
};

}  // namespace cistern::net
