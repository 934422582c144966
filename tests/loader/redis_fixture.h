// A redis origin whose server is scripted, all on one loop.
#pragma once

#include "loader/redis.h"
#include "tests/loader/fake_redis.h"
#include "tests/loader/loader_fixture.h"

namespace cistern::loader {

class RedisTest : public LoaderTest {
 protected:
  RedisTest() {
    options_.group = "users";
    options_.address = fake_.address();
    options_.timeout = std::chrono::seconds(20);
    options_.connect_timeout = std::chrono::seconds(20);
    clean_up_ = [this] {
      if (origin_) origin_->Shutdown();
      fake_.Close();
    };
  }

  void Open() {
    origin_ = std::make_unique<RedisOrigin>(options_, std::vector<net::Loop*>{&loop_});
  }
  // A connection that has answered once, so that its loss is not a failed connect.
  void OpenAndWarmUp(std::function<void()> then) {
    Open();
    Load({"warm"}, std::move(then));
  }

  FakeRedis fake_{loop_};
  RedisOptions options_;
};

}  // namespace cistern::loader
