#include "server/deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/manual_executor.h"

namespace cistern::server {
namespace {

using namespace std::chrono_literals;

class DeadlinesTest : public testing::Test {
 protected:
  struct Item final : Deadlines::Item {
    Item(std::vector<int>& list, int its_name) : late(list), name(its_name) {}
    void OnDeadline() override {
      late.push_back(name);
      if (then) then();
    }
    std::vector<int>& late;
    const int name;
    std::function<void()> then;
  };
  void Pass(cache::Duration time) {
    clock.Advance(time);
    executor.RunAll();
  }
  cache::Instant In(cache::Duration time) const { return clock.Now() + time; }

  test::ManualClock clock;
  test::ManualExecutor executor{clock};
  std::vector<int> late;
  Item a{late, 1}, b{late, 2}, c{late, 3};
  Deadlines deadlines{executor};
};

TEST_F(DeadlinesTest, EachComesAtItsTimeWhateverTheOrderOfAdding) {
  deadlines.Add(b, In(20ms));
  deadlines.Add(c, In(30ms));
  deadlines.Add(a, In(10ms));
  Pass(9ms);
  EXPECT_TRUE(late.empty());
  Pass(1ms);
  EXPECT_EQ(late, std::vector({1}));
  Pass(20ms);
  EXPECT_EQ(late, std::vector({1, 2, 3}));
}

TEST_F(DeadlinesTest, ManyComeInTheOrderOfTheirTimes) {
  std::vector<std::unique_ptr<Item>> items;
  for (int i = 0; i < 500; ++i) {
    const int time = i * 7919 % 100;  // in no order, and each five times
    items.push_back(std::make_unique<Item>(late, time));
    deadlines.Add(*items.back(), In(std::chrono::milliseconds(time)));
  }
  Pass(100ms);
  EXPECT_EQ(late.size(), 500U);
  EXPECT_TRUE(std::is_sorted(late.begin(), late.end()));
}

TEST_F(DeadlinesTest, WhatIsRemovedDoesNotCome) {
  deadlines.Add(a, In(10ms));
  deadlines.Add(b, In(10ms));
  deadlines.Add(c, In(20ms));
  deadlines.Remove(a);
  deadlines.Remove(c);
  deadlines.Remove(c);
  Pass(1s);
  EXPECT_EQ(late, std::vector({2}));
}

TEST_F(DeadlinesTest, AThousandHaveOneTimer) {
  std::vector<std::unique_ptr<Item>> items;
  for (int i = 0; i < 1000; ++i) {
    items.push_back(std::make_unique<Item>(late, i));
    deadlines.Add(*items.back(), In(5s));
  }
  EXPECT_EQ(executor.timers(), 1u);
  for (const auto& item : items)
    deadlines.Remove(*item);
  deadlines.Add(a, In(6s));
  EXPECT_EQ(executor.timers(), 1u);
  Pass(6s);
  EXPECT_EQ(late, std::vector({1}));
}

TEST_F(DeadlinesTest, WhoIsLateMayAddAndRemoveOthers) {
  deadlines.Add(a, In(10ms));
  deadlines.Add(b, In(10ms));
  a.then = [this] {
    deadlines.Remove(b);
    deadlines.Add(c, In(5ms));
  };
  Pass(10ms);
  EXPECT_EQ(late, std::vector({1}));
  Pass(5ms);
  EXPECT_EQ(late, std::vector({1, 3}));
}

}  // namespace
}  // namespace cistern::server
