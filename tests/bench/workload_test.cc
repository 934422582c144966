// What the load generators send, and what they take for an answer.
#include "bench/load/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace cistern::load {
namespace {

WorkloadOptions Small(Work work, const std::string& protocol = "resp") {
  WorkloadOptions options;
  options.work = work;
  options.protocol = protocol;
  options.keys = 1;
  options.value_size = 2;
  options.batch = 2;
  return options;
}

struct Exchange {
  std::string request;
  std::string reply;
};

Exchange First(const WorkloadOptions& options) {
  Exchange exchange;
  Workload workload(options);
  const size_t reply_size = workload.Next(exchange.request, &exchange.reply);
  EXPECT_EQ(reply_size, exchange.reply.size());
  return exchange;
}

TEST(Workload, SpeaksResp) {
  const Exchange get = First(Small(Work::kGet));
  EXPECT_EQ(get.request, "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n");
  EXPECT_EQ(get.reply, "$2\r\nvv\r\n");
  const Exchange mget = First(Small(Work::kMultiGet));
  EXPECT_EQ(mget.request,
            "*3\r\n$4\r\nMGET\r\n$16\r\nkey:000000000000\r\n$16\r\nkey:000000000000\r\n");
  EXPECT_EQ(mget.reply, "*2\r\n$2\r\nvv\r\n$2\r\nvv\r\n");
  WorkloadOptions fill = Small(Work::kFill);
  fill.ttl = 60;
  const Exchange set = First(fill);
  EXPECT_EQ(set.request,
            "*5\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$2\r\nvv\r\n$2\r\nEX\r\n$2\r\n60\r\n");
  EXPECT_EQ(set.reply, "+OK\r\n");
}

TEST(Workload, SpeaksMemcachedsProtocols) {
  const Exchange get = First(Small(Work::kGet, "memcached"));
  EXPECT_EQ(get.request, "get key:000000000000\r\n");
  EXPECT_EQ(get.reply, "VALUE key:000000000000 0 2\r\nvv\r\nEND\r\n");
  const Exchange meta = First(Small(Work::kGet, "memcached-meta"));
  EXPECT_EQ(meta.request, "mg key:000000000000 v\r\n");
  EXPECT_EQ(meta.reply, "VA 2\r\nvv\r\n");
  const Exchange set = First(Small(Work::kFill, "memcached"));
  EXPECT_EQ(set.request, "set key:000000000000 0 0 2\r\nvv\r\n");
  EXPECT_EQ(set.reply, "STORED\r\n");
}

TEST(Workload, FillsEachKeyOnceThenEnds) {
  WorkloadOptions options = Small(Work::kFill);
  options.first = 5;
  options.keys = 8;
  Workload workload(options);
  std::string sent;
  for (int i = 0; i < 3; ++i)
    EXPECT_GT(workload.Next(sent), 0u);
  EXPECT_EQ(workload.Next(sent), 0u);
  for (const char* key : {"key:000000000005", "key:000000000006", "key:000000000007"})
    EXPECT_EQ(sent.find(key), sent.rfind(key)) << key;
  EXPECT_EQ(workload.value_bytes(), 6u);
}

TEST(Workload, OneInTenOfAMixIsASet) {
  WorkloadOptions options = Small(Work::kMix);
  Workload workload(options);
  int sets = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string request;
    workload.Next(request);
    sets += request.find("SET") != std::string::npos ? 1 : 0;
  }
  EXPECT_NEAR(sets, 1000, 100);
}

TEST(Workload, RandomKeysCoverTheWholeRange) {
  WorkloadOptions options = Small(Work::kGet);
  options.keys = 100;
  Workload workload(options);
  std::set<std::string> requests;
  for (int i = 0; i < 10'000; ++i) {
    std::string request;
    workload.Next(request);
    requests.insert(request);
  }
  EXPECT_EQ(requests.size(), 100u);
}

TEST(LogNormalSize, HasTheMedianAndTheSpreadAskedFor) {
  std::vector<size_t> sizes;
  for (uint64_t i = 0; i < 100'000; ++i)
    sizes.push_back(LogNormalSize(i, 300, 1));
  std::ranges::sort(sizes);
  EXPECT_NEAR(static_cast<double>(sizes[50'000]), 300, 6);
  EXPECT_NEAR(static_cast<double>(sizes[84'134]), 300 * 2.71828, 20);  // one sigma above
  EXPECT_NEAR(static_cast<double>(sizes[15'866]), 300 / 2.71828, 4);
}

}  // namespace
}  // namespace cistern::load
