// Whatever is pending, however long, on one connection everything looks as if requests ran one
// after the other.
#include <gtest/gtest.h>

#include <random>

#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

class ReplyOrderTest : public ::testing::TestWithParam<unsigned> {
 protected:
  size_t Below(size_t n) { return static_cast<size_t>(random_()) % n; }

  // Adds one request, and the reply that it gets when run in order.
  void AddRequest() {
    const std::string key(1, static_cast<char>('a' + Below(4)));
    const bool later = Below(2) == 0;
    if (Below(4) == 0) {
      const std::string text(Below(300), 'e');
      requests_ += Ask({"ECHO", text});
      replies_ += Bulk(text);
    } else if (Below(3) == 0) {
      const std::string value = "value " + std::to_string(++writes_);
      requests_ += Ask({later ? "SETLATER" : "SET", key, value});
      replies_ += "+OK\r\n";
      values_[key] = value;
    } else {
      requests_ += Ask({later ? "GETLATER" : "GET", key});
      replies_ += values_.contains(key) ? Bulk(values_[key]) : "$-1\r\n";
    }
  }

  // Does what is pending, some of it, in any order.
  void FinishSome() {
    server_.On([this] {
      for (size_t n = Below(4); n > 0 && !State().jobs.empty(); --n) {
        std::swap(State().jobs[Below(State().jobs.size())], State().jobs.back());
        const auto job = std::move(State().jobs.back());
        State().jobs.pop_back();
        job();
      }
    });
  }

  std::mt19937 random_{GetParam()};
  TestServer server_;
  std::string requests_;
  std::string replies_;
  std::map<std::string, std::string> values_;
  int writes_ = 0;
};

TEST_P(ReplyOrderTest, PipelineLooksAsIfRunOneByOne) {
  server_.Start();
  TestClient client = server_.Connect();
  for (int i = 0; i < 400; ++i)
    AddRequest();
  std::string_view left = requests_;
  std::string got;
  while (!left.empty()) {
    const size_t bytes = std::min(left.size(), 1 + Below(400));
    client.Send(left.substr(0, bytes));
    left.remove_prefix(bytes);
    FinishSome();
    got += client.ReadSome();
    ASSERT_EQ(got, replies_.substr(0, got.size()));
  }
  TestServer::Until([&] {
    FinishSome();
    got += client.ReadSome();
    return got.size() >= replies_.size();
  });
  EXPECT_EQ(got, replies_);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReplyOrderTest, ::testing::Range(1U, 31U));

}  // namespace
}  // namespace cistern::server
