#include "cluster/node_ids.h"

#include <gtest/gtest.h>

#include <thread>

namespace cistern::cluster {
namespace {

TEST(NodeIds, NumbersAreDenseAndStay) {
  NodeIds ids;
  EXPECT_EQ(ids.Intern("b"), 0u);
  EXPECT_EQ(ids.Intern("a"), 1u);
  EXPECT_EQ(ids.Intern("b"), 0u);
  EXPECT_EQ(ids.Name(1), "a");
  EXPECT_EQ(ids.Name(2), "");
  EXPECT_EQ(ids.size(), 2u);
}

TEST(NodeIds, ThreadsAgreeAboutNumbers) {
  NodeIds ids;
  const auto name = [](int i) { return "node-" + std::to_string(i); };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i)
        EXPECT_EQ(ids.Name(ids.Intern(name(i))), name(i));
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(ids.size(), 200u);
}

}  // namespace
}  // namespace cistern::cluster
