// What answering at once may cost: no allocation for requests, whatever the number of clients.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "tests/server/test_server.h"

namespace {

// Of the thread that is looked at; others allocate as they like.
thread_local bool counts = false;
std::atomic<uint64_t> allocations{0};

void* Allocate(size_t bytes) {
  if (counts) allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) {
  return Allocate(bytes);
}
void* operator new[](size_t bytes) {
  return Allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}

namespace cistern::server {
namespace {

class HitCostTest : public ::testing::Test {
 protected:
  HitCostTest() {
    server_.Start();
    server_.On([] { State().values["k"] = std::string(32, 'v'); });
  }
  // Allocations of the loop's thread while `client` sends `request` and reads `reply` so often.
  uint64_t Count(TestClient& client, const std::string& request, const std::string& reply,
                 int times) {
    server_.On([] {
      allocations = 0;
      counts = true;
    });
    for (int i = 0; i < times; ++i) {
      client.Send(request);
      EXPECT_EQ(client.Read(reply.size()), reply);
    }
    // Two turns later the last event is over too; the tasks themselves are counted with it.
    server_.On([] { counts = false; });
    return allocations;
  }

  TestServer server_;
};

TEST_F(HitCostTest, HitsAllocateNothing) {
  TestClient client = server_.Connect();
  for (const int depth : {1, 16, 64}) {
    std::string requests;
    std::string replies;
    for (int i = 0; i < depth; ++i) {
      requests += Ask({"GET", "k"});
      replies += Bulk(std::string(32, 'v'));
    }
    Count(client, requests, replies, 10);  // buffers find their size
    const uint64_t few = Count(client, requests, replies, 10);
    EXPECT_EQ(Count(client, requests, replies, 1000), few) << depth;
  }
}

TEST_F(HitCostTest, BatchOfOneReadIsOneReadAndAllOfItsCommands) {
  TestClient client = server_.Connect();
  std::string requests;
  for (int i = 0; i < 64; ++i)
    requests += Ask({"GET", "k"});
  client.Send(requests);
  server_.UntilExecuted(64);
  EXPECT_EQ(server_.stats().reads.value(), 1U);
}

}  // namespace
}  // namespace cistern::server
