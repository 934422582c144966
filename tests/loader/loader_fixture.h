// A loop, an origin, and loads whose outcomes read as text.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loader/job.h"
#include "tests/net/loop_fixture.h"

namespace cistern::loader {

// The machine's clock, until a test stops it and moves it by hand.
class TestClock final : public cache::Clock {
 public:
  cache::Instant Now() const override {
    return stopped_ ? at_ : cache::SystemClock().Now() + ahead_;
  }
  cache::WallTime WallNow() const override { return cache::SystemClock().WallNow(); }

  void Stop() {
    at_ = Now();
    stopped_ = true;
  }
  void Advance(cache::Duration by) {
    at_ += by;
    ahead_ += by;
  }

 private:
  bool stopped_ = false;
  cache::Instant at_;
  cache::Duration ahead_{0};
};

// "value x", "not found", or "BACKEND users: timeout after 5 ms".
inline std::string TextOf(const LoadResult& result) {
  if (!result)
    return std::string(cache::ReplyPrefix(result.error().code)) + " " + result.error().text;
  if (!result->value) return "not found";
  return "value " + std::string(result->value->bytes());
}

struct ClockBase {
  TestClock clock_;
};

class LoaderTest : ClockBase, public net::LoopTest {
 protected:
  LoaderTest() : LoopTest(ClockBase::clock_) {}

  TestClock& clock() { return clock_; }

  // Loads `keys` in one turn; `then` runs when all are answered.
  void Load(const std::vector<std::string>& keys, std::function<void()> then) {
    auto left = std::make_shared<size_t>(keys.size());
    for (const std::string& key : keys) {
      LoadOne(key, [left, then] {
        if (--*left == 0) then();
      });
    }
  }
  LoadDone LoadOne(const std::string& key, std::function<void()> then) {
    auto done = cache::Completion<LoadResult>::Make(loop_, [this, key, then](LoadResult result) {
      EXPECT_FALSE(in_load_) << "completed inside Load()";
      outcomes_[key].push_back(TextOf(result));
      then();
    });
    in_load_ = true;
    origin_->Load(loop_, key, done);
    in_load_ = false;
    return done;
  }
  // What the only load of `key` brought.
  std::string Outcome(const std::string& key) {
    const auto& all = outcomes_[key];
    return all.size() == 1 ? all[0] : std::to_string(all.size()) + " outcomes";
  }
  std::function<void()> ThenFinish() {
    return [this] { Finish(); };
  }

  std::unique_ptr<cache::Origin> origin_;
  std::map<std::string, std::vector<std::string>> outcomes_;
  bool in_load_ = false;
};

}  // namespace cistern::loader
