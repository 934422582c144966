// A test with one loop that runs on the test's own thread, and fails when a handle is left open.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "net/loop.h"
#include "net/stream.h"

namespace cistern::net {

class LoopTest : public ::testing::Test {
 protected:
  // `clock` outlives the fixture.
  explicit LoopTest(const cache::Clock& clock = cache::SystemClock()) : loop_(0, clock) {}
  static void SetUpTestSuite() { IgnoreSigpipe(); }

  // Runs the loop until Finish(); a test that takes too long fails instead of hanging.
  void Run() {
    loop_.After(std::chrono::seconds(60), [this] {
      ADD_FAILURE() << "the test did not finish";
      Finish();
    });
    loop_.Run();
    EXPECT_THAT(loop_.left_open(), ::testing::IsEmpty());
  }

  // What the test opened is closed by `clean_up_`, then the loop ends.
  void Finish() {
    if (clean_up_) clean_up_();
    clean_up_ = nullptr;
    loop_.Stop();
  }

  Loop loop_;
  std::function<void()> clean_up_;
};

}  // namespace cistern::net
