#include "server/key_order.h"

#include <gtest/gtest.h>

#include <list>
#include <random>
#include <set>

namespace cistern::server {
namespace {

using Ticket = KeyOrder::Ticket;

class KeyOrderTest : public ::testing::Test {
 protected:
  bool Add(Ticket& ticket, std::vector<uint64_t> keys, Access access) {
    const bool must_wait = order_.MustWait(keys, access);
    const bool runs = order_.Add(ticket, keys, access);
    EXPECT_NE(runs, must_wait);
    return runs;
  }
  std::vector<Ticket*> Remove(Ticket& ticket) {
    std::vector<Ticket*> ready;
    order_.Remove(ticket, ready);
    return ready;
  }

  KeyOrder order_;
  Ticket a_, b_, c_, d_;
};

TEST_F(KeyOrderTest, ReadsOfOneKeyOverlap) {
  EXPECT_TRUE(Add(a_, {1}, Access::kRead));
  EXPECT_TRUE(Add(b_, {1}, Access::kRead));
}

TEST_F(KeyOrderTest, WritesOfDifferentKeysOverlap) {
  EXPECT_TRUE(Add(a_, {1}, Access::kWrite));
  EXPECT_TRUE(Add(b_, {2}, Access::kWrite));
}

TEST_F(KeyOrderTest, ReadWaitsForWrite) {
  EXPECT_TRUE(Add(a_, {1}, Access::kWrite));
  EXPECT_FALSE(Add(b_, {1}, Access::kRead));
  EXPECT_EQ(Remove(a_), std::vector<Ticket*>{&b_});
}

TEST_F(KeyOrderTest, WriteWaitsForAllReads) {
  EXPECT_TRUE(Add(a_, {1}, Access::kRead));
  EXPECT_TRUE(Add(b_, {1}, Access::kRead));
  EXPECT_FALSE(Add(c_, {1}, Access::kWrite));
  EXPECT_TRUE(Remove(b_).empty());
  EXPECT_EQ(Remove(a_), std::vector<Ticket*>{&c_});
}

TEST_F(KeyOrderTest, ReadDoesNotOvertakeAWaitingWrite) {
  EXPECT_TRUE(Add(a_, {1}, Access::kRead));
  EXPECT_FALSE(Add(b_, {1}, Access::kWrite));
  EXPECT_FALSE(Add(c_, {1}, Access::kRead));
  EXPECT_EQ(Remove(a_), std::vector<Ticket*>{&b_});
  EXPECT_EQ(Remove(b_), std::vector<Ticket*>{&c_});
}

TEST_F(KeyOrderTest, RequestOfManyKeysWaitsForEach) {
  EXPECT_TRUE(Add(a_, {1}, Access::kWrite));
  EXPECT_TRUE(Add(b_, {2}, Access::kWrite));
  EXPECT_FALSE(Add(c_, {2, 1}, Access::kRead));
  EXPECT_TRUE(Remove(a_).empty());
  EXPECT_EQ(Remove(b_), std::vector<Ticket*>{&c_});
}

TEST_F(KeyOrderTest, KeyNamedTwiceDoesNotWaitForItself) {
  EXPECT_TRUE(Add(a_, {1, 1}, Access::kWrite));
  EXPECT_TRUE(Remove(a_).empty());
  EXPECT_TRUE(order_.empty());
}

TEST_F(KeyOrderTest, BarrierWaitsForAllAndAllWaitForIt) {
  EXPECT_TRUE(Add(a_, {1}, Access::kRead));
  EXPECT_TRUE(Add(b_, {2}, Access::kWrite));
  EXPECT_FALSE(Add(c_, {}, Access::kBarrier));
  EXPECT_FALSE(Add(d_, {3}, Access::kRead));
  EXPECT_TRUE(Remove(a_).empty());
  EXPECT_EQ(Remove(b_), std::vector<Ticket*>{&c_});
  EXPECT_EQ(Remove(c_), std::vector<Ticket*>{&d_});
}

TEST_F(KeyOrderTest, KnowsNothingOnceAllAreDone) {
  EXPECT_TRUE(Add(a_, {1, 2}, Access::kWrite));
  EXPECT_FALSE(Add(b_, {2, 3}, Access::kWrite));
  Remove(a_);
  EXPECT_FALSE(order_.empty());
  Remove(b_);
  EXPECT_TRUE(order_.empty());
}

// The rule, as plainly as it can be said: a request may run when no earlier one that is not done
// shares a key with it, one of the two writing.
struct NaiveOrder {
  struct One {
    Ticket ticket;
    std::set<uint64_t> keys;
    Access access;
    bool is_running = false;
  };

  static bool Conflict(const One& a, const One& b) {
    if (a.access == Access::kBarrier || b.access == Access::kBarrier) return true;
    if (a.access == Access::kRead && b.access == Access::kRead) return false;
    for (const uint64_t key : a.keys) {
      if (b.keys.contains(key)) return true;
    }
    return false;
  }
  bool MayRun(const One& one) const {
    for (const One& earlier : all) {
      if (&earlier == &one) return true;
      if (Conflict(earlier, one)) return false;
    }
    return true;
  }

  std::list<One> all;  // not done, in the order they came
};

class KeyOrderProperty : public ::testing::TestWithParam<unsigned> {};

TEST_P(KeyOrderProperty, RunsExactlyWhatTheNaiveRuleAllows) {
  std::mt19937 random(GetParam());
  const auto below = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  KeyOrder order;
  NaiveOrder naive;
  for (int step = 0; step < 2000; ++step) {
    if (naive.all.size() < 20 && below(2) == 0) {
      auto& one = naive.all.emplace_back();
      one.access = below(30) == 0  ? Access::kBarrier
                   : below(3) == 0 ? Access::kWrite
                                   : Access::kRead;
      std::vector<uint64_t> keys;
      for (size_t i = 0, n = below(4); i < n; ++i)
        keys.push_back(below(6));
      one.keys.insert(keys.begin(), keys.end());
      const bool must_wait = order.MustWait(keys, one.access);
      one.is_running = order.Add(one.ticket, keys, one.access);
      ASSERT_NE(one.is_running, must_wait);
      ASSERT_EQ(one.is_running, naive.MayRun(one));
    } else if (!naive.all.empty()) {
      std::vector<std::list<NaiveOrder::One>::iterator> running;
      for (auto it = naive.all.begin(); it != naive.all.end(); ++it) {
        if (it->is_running) running.push_back(it);
      }
      ASSERT_FALSE(running.empty());
      const auto done = running[below(running.size())];
      std::vector<Ticket*> ready;
      order.Remove(done->ticket, ready);
      naive.all.erase(done);
      for (Ticket* ticket : ready) {
        for (auto& one : naive.all) {
          if (&one.ticket != ticket) continue;
          ASSERT_FALSE(one.is_running);
          one.is_running = true;
        }
      }
      for (const auto& one : naive.all)
        ASSERT_EQ(one.is_running, naive.MayRun(one));
      ASSERT_EQ(order.empty(), naive.all.empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, KeyOrderProperty, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace cistern::server
