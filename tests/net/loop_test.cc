#include "net/loop.h"

#include <uv.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/net/loop_fixture.h"

namespace cistern::net {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Tells where it was freed.
struct Witness {
  std::thread::id* freed_on;
  ~Witness() { *freed_on = std::this_thread::get_id(); }
};

TEST_F(LoopTest, PostRunsLaterAndNeverInsideTheCall) {
  bool ran = false;
  loop_.Post([&] {
    loop_.Post([&] {
      ran = true;
      Finish();
    });
    EXPECT_FALSE(ran);
  });
  EXPECT_FALSE(ran);
  Run();
  EXPECT_TRUE(ran);
}

TEST_F(LoopTest, TasksOfOneThreadRunInTheirOrder) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  std::vector<int> next(kThreads, 0);
  int left = kThreads * kTasks;
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop_.Post([&, t, i] {
          EXPECT_EQ(next[t]++, i);
          if (--left == 0) Finish();
        });
      }
    });
  }
  Run();
  for (std::thread& poster : posters)
    poster.join();
  EXPECT_EQ(left, 0);
}

TEST_F(LoopTest, TurnEndComesAfterAllTasksOfTheTurn) {
  std::vector<std::string> seen;
  loop_.Post([&] {
    seen.push_back("first");
    loop_.AtTurnEnd([&] { seen.push_back("end of first"); });
  });
  loop_.Post([&] {
    seen.push_back("second");
    loop_.AtTurnEnd([&] {
      seen.push_back("end of second");
      Finish();
    });
  });
  Run();
  EXPECT_THAT(seen, ElementsAre("first", "second", "end of first", "end of second"));
}

TEST_F(LoopTest, TurnEndWorkOfTurnEndWorkRunsInTheSameTurnEnd) {
  uint64_t first = 0;
  uint64_t second = 1;
  loop_.Post([&] {
    loop_.AtTurnEnd([&] {
      first = loop_.turn();
      loop_.AtTurnEnd([&] {
        second = loop_.turn();
        Finish();
      });
    });
  });
  Run();
  EXPECT_EQ(first, second);
}

TEST_F(LoopTest, TurnEndWorkOfATimerDoesNotWaitForThePoll) {
  // Nothing else wakes the poll: if the work were left to it, the test would not finish.
  loop_.After(milliseconds(1), [&] { loop_.AtTurnEnd([&] { Finish(); }); });
  Run();
}

TEST_F(LoopTest, EndlessTurnEndWorkDoesNotStarveThePoll) {
  bool finished = false;
  std::function<void()> again = [&] {
    if (!finished) loop_.AtTurnEnd(again);
  };
  loop_.AtTurnEnd(again);
  loop_.After(milliseconds(5), [&] {
    finished = true;
    Finish();
  });
  Run();
  EXPECT_TRUE(finished);
}

TEST_F(LoopTest, TimersRunInTheOrderOfTheirTimesAndThenOfTheirMaking) {
  std::vector<int> seen;
  loop_.Post([&] {
    loop_.After(milliseconds(4), [&] {
      seen.push_back(4);
      Finish();
    });
    loop_.After(milliseconds(2), [&] { seen.push_back(2); });
    loop_.After(milliseconds(3), [&] { seen.push_back(3); });
    loop_.After(milliseconds(-1), [&] { seen.push_back(0); });
    loop_.After(milliseconds(0), [&] { seen.push_back(1); });
  });
  Run();
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(LoopTest, TimerIsNeverEarly) {
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point fired;
  loop_.After(std::chrono::microseconds(7300), [&] {
    fired = std::chrono::steady_clock::now();
    Finish();
  });
  Run();
  EXPECT_GE(fired - begin, std::chrono::microseconds(7300));
}

TEST_F(LoopTest, CancelledTimerDoesNotRunAndItsCapturesAreFreedAtOnce) {
  std::thread::id freed_on;
  auto witness = std::make_shared<Witness>(&freed_on);
  const auto timer = loop_.After(milliseconds(1), [witness] { FAIL(); });
  witness.reset();
  loop_.Cancel(timer);
  EXPECT_EQ(freed_on, std::this_thread::get_id());
  loop_.Cancel(timer);
  loop_.Cancel(0);
  loop_.After(milliseconds(2), [&] { Finish(); });
  Run();
}

TEST_F(LoopTest, TimerMayCancelAnotherThatIsDueToo) {
  Loop::TimerId second = 0;
  loop_.After(milliseconds(0), [&] { loop_.Cancel(second); });
  second = loop_.After(milliseconds(0), [] { FAIL(); });
  loop_.After(milliseconds(1), [&] { Finish(); });
  Run();
}

TEST_F(LoopTest, TimerSetByATimerRuns) {
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds == 50) return Finish();
    loop_.After(milliseconds(0), again);
  };
  loop_.After(milliseconds(0), again);
  Run();
  EXPECT_EQ(rounds, 50);
}

TEST_F(LoopTest, TenThousandTimersNeedOneHandle) {
  int fired = 0;
  for (int i = 0; i < 10'000; ++i)
    loop_.After(milliseconds(i % 10), [&] {
      if (++fired == 10'000) Finish();
    });
  int handles = 0;
  uv_walk(
      loop_.raw(), [](uv_handle_t*, void* n) { ++*static_cast<int*>(n); }, &handles);
  EXPECT_EQ(handles, 4);
  Run();
  EXPECT_EQ(fired, 10'000);
}

TEST(LoopThreadTest, StopRunsWhatWasPostedBefore) {
  Loop loop(3);
  EXPECT_EQ(loop.index(), 3);
  int ran = 0;
  loop.Start();
  for (int i = 0; i < 100; ++i)
    loop.Post([&] { ++ran; });
  loop.Stop();
  loop.Stop();
  loop.Join();
  EXPECT_EQ(ran, 100);
}

TEST(LoopThreadTest, KnowsItsOwnThread) {
  Loop loop(0);
  EXPECT_TRUE(loop.OnOwnThread());
  bool inside = false;
  bool outside = true;
  loop.Post([&] {
    inside = loop.OnOwnThread();
    std::thread([&] { outside = loop.OnOwnThread(); }).join();
    loop.Stop();
  });
  loop.Start();
  loop.Join();
  EXPECT_TRUE(inside);
  EXPECT_FALSE(outside);
}

TEST(LoopThreadTest, WhatNeverRanIsFreedOnTheLoopsThread) {
  std::thread::id loop_thread;
  std::thread::id timer_freed_on;
  std::thread::id task_freed_on;
  Loop loop(0);
  loop.Post([&] {
    loop_thread = std::this_thread::get_id();
    auto in_timer = std::make_shared<Witness>(&timer_freed_on);
    loop.After(std::chrono::hours(1), [in_timer] { FAIL(); });
    loop.Stop();
    // Comes after the stop in the mailbox, and so is not run.
    auto in_task = std::make_shared<Witness>(&task_freed_on);
    loop.Post([&, in_task] { loop.Post([] { FAIL(); }); });
  });
  loop.Start();
  loop.Join();
  EXPECT_EQ(timer_freed_on, loop_thread);
  EXPECT_EQ(task_freed_on, loop_thread);
}

TEST(LoopThreadTest, PostAfterTheEndIsFreedAtOnceByThePoster) {
  Loop loop(0);
  loop.Start();
  loop.Stop();
  loop.Join();
  std::thread::id freed_on;
  loop.Post([witness = std::make_shared<Witness>(&freed_on)] { FAIL(); });
  EXPECT_EQ(freed_on, std::this_thread::get_id());
}

TEST(LoopThreadTest, LoopThatNeverRanFreesItsTasks) {
  std::thread::id freed_on;
  {
    Loop loop(0);
    loop.Post([witness = std::make_shared<Witness>(&freed_on)] { FAIL(); });
  }
  EXPECT_EQ(freed_on, std::this_thread::get_id());
}

TEST(LoopThreadTest, ThreadsPostWhileTheLoopEnds) {
  for (int round = 0; round < 20; ++round) {
    Loop loop(0);
    loop.Start();
    std::thread poster([&loop] {
      for (int i = 0; i < 500; ++i)
        loop.Post([] {});
    });
    loop.Stop();
    loop.Join();
    poster.join();
    EXPECT_THAT(loop.left_open(), IsEmpty());
  }
}

TEST(LoopThreadTest, HandleLeftOpenIsNamed) {
  Loop loop(0);
  uv_timer_t forgotten;
  ASSERT_EQ(uv_timer_init(loop.raw(), &forgotten), 0);
  loop.Stop();
  loop.Run();
  EXPECT_THAT(loop.left_open(), ElementsAre("timer, idle"));
  uv_close(reinterpret_cast<uv_handle_t*>(&forgotten), nullptr);
  uv_run(loop.raw(), UV_RUN_DEFAULT);
  EXPECT_EQ(uv_loop_close(loop.raw()), 0);
}

}  // namespace
}  // namespace cistern::net
