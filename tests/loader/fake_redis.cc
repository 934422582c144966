#include "tests/loader/fake_redis.h"

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

namespace cistern::loader {

std::string Bulk(std::string_view value) {
  return "$" + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
}

std::string Array(const std::vector<std::string>& items) {
  std::string text = "*" + std::to_string(items.size()) + "\r\n";
  for (const std::string& item : items)
    text += item;
  return text;
}

namespace {

FakeRedis::Answer Echo(const FakeRedis::Command& command) {
  if (command[0] == "GET") return {Bulk("of " + command[1])};
  if (command[0] != "MGET") return {"+OK\r\n"};
  std::vector<std::string> values;
  for (size_t i = 1; i < command.size(); ++i)
    values.push_back(Bulk("of " + command[i]));
  return {Array(values)};
}

}  // namespace

class FakeRedis::Client : public net::StreamDelegate {
 public:
  Client(FakeRedis& server, int fd) : server_(server), stream_(server.loop_, *this) {
    EXPECT_TRUE(stream_.Adopt(fd).has_value());
  }
  ~Client() override {
    server_.loop_.Cancel(drip_);
    redisReaderFree(reader_);
  }

 private:
  void OnData(std::string_view bytes) override {
    redisReaderFeed(reader_, bytes.data(), bytes.size());
    void* raw = nullptr;
    while (redisReaderGetReply(reader_, &raw) == REDIS_OK && raw != nullptr) {
      const auto* request = static_cast<redisReply*>(raw);
      Command command;
      std::string text;
      for (size_t i = 0; i < request->elements; ++i) {
        command.emplace_back(request->element[i]->str, request->element[i]->len);
        text += (i == 0 ? "" : " ") + command.back();
      }
      freeReplyObject(raw);
      server_.commands_.push_back(text);
      const Answer answer = server_.script(command);
      stream_.Write(answer.bytes);
      if (answer.drips) Drip();
      if (answer.close) return stream_.CloseWhenWritten();
    }
  }
  void OnClosed(const net::CloseReason&) override { server_.loop_.Cancel(std::exchange(drip_, 0)); }
  void Drip() {
    drip_ = server_.loop_.After(std::chrono::milliseconds(1), [this] {
      stream_.Write("x");
      Drip();
    });
  }

  FakeRedis& server_;
  redisReader* reader_ = redisReaderCreate();
  net::Loop::TimerId drip_ = 0;
  net::Stream stream_;
};

FakeRedis::FakeRedis(net::Loop& loop) : script(Echo), loop_(loop) {
  Listen();
}

FakeRedis::~FakeRedis() = default;

void FakeRedis::Listen() {
  auto listener = net::Listener::Open(loop_, address_, [this](int fd) {
    ++accepted_;
    clients_.push_back(std::make_unique<Client>(*this, fd));
  });
  ASSERT_TRUE(listener.has_value()) << listener.error();
  listener_ = std::move(*listener);
  address_ = listener_->address();
}

void FakeRedis::Close() {
  listener_.reset();
  clients_.clear();
}

}  // namespace cistern::loader
