// Traces are read as they were published, and policies replay them as their inventors say.
#include "bench/replay/replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <list>
#include <map>
#include <random>

namespace cistern::test {
namespace {

using bench::GuessFormat;
using bench::ParseTrace;
using bench::ReadTrace;
using bench::Replay;
using bench::Trace;
using bench::TraceFormat;
using namespace std::string_literals;

TEST(Trace, ReadsEveryFormat) {
  const std::vector<uint32_t> requests{0, 1, 0};
  EXPECT_EQ(ParseTrace("t", "\0\0\0\7\0\0\1\0\0\0\0\7"s, TraceFormat::kBigEndian32)->requests,
            requests);
  EXPECT_EQ(ParseTrace("t", "\0\0\0\0\0\0\0\7\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\7"s,
                       TraceFormat::kBigEndian64)
                ->requests,
            requests);
  EXPECT_EQ(ParseTrace("t", "7\n8\r\n*\n7\n", TraceFormat::kLirs)->requests, requests);
  EXPECT_EQ(ParseTrace("t", "7 2 0 0\n7 1 0 1\n", TraceFormat::kArc)->requests, requests);
}

TEST(Trace, OracleGeneralHasSizesTheLastOneCountsAndNoneAreDropped) {
  const auto record = [](char object, char size) {
    return "\0\0\0\0"s + object + "\0\0\0\0\0\0\0"s + size + "\0\0\0"s + std::string(8, '\0');
  };
  const auto trace = ParseTrace("t", record(1, 10) + record(2, 0) + record(3, 5) + record(1, 20),
                                TraceFormat::kOracleGeneral);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->requests, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(trace->sizes, (std::vector<uint64_t>{20, 5}));
  EXPECT_EQ(trace->Footprint(), 25u);
  EXPECT_EQ(trace->RequestBytes(), 45u);
}

TEST(Trace, WhatIsCutOffIsNoTrace) {
  EXPECT_FALSE(ParseTrace("t", "\0\0\0"s, TraceFormat::kBigEndian32));
  EXPECT_FALSE(ParseTrace("t", "7\n", TraceFormat::kArc));
  EXPECT_FALSE(ReadTrace("/nowhere/lirs.trace", TraceFormat::kLirs));
  EXPECT_FALSE(GuessFormat("/lirs/unknown.bin"));
}

TEST(Trace, ReadsPackedFiles) {
  // "7\n8\n7\n", by gzip.
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\xe7\xb2\xe0\x32\xe7\x02\x00\xa5\x92\xd7\xaa"
      "\x06\x00\x00\x00",
      26);
  const std::string path = testing::TempDir() + "/lirs_packed.trace.gz";
  std::ofstream(path, std::ios::binary) << packed;
  const auto trace = ReadTrace(path, *GuessFormat(path));
  std::filesystem::remove(path);
  ASSERT_TRUE(trace) << trace.error();
  EXPECT_EQ(trace->name, "lirs_packed");
  EXPECT_EQ(trace->requests, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(trace->Sha256().size(), 64u);
}

// Popular keys, scans, and objects of different sizes.
Trace Mixed(uint32_t requests) {
  Trace trace;
  std::mt19937 random(1);
  std::geometric_distribution<uint32_t> popular(0.002);
  uint32_t scan = 4000;
  while (trace.requests.size() < requests) {
    if (random() % 50 != 0) {
      trace.requests.push_back(std::min(popular(random), 3999U));
      continue;
    }
    for (int i = 0; i < 30; ++i)
      trace.requests.push_back(scan++);
  }
  trace.sizes.resize(scan);
  for (uint64_t& size : trace.sizes)
    size = 1 + random() % 1000;
  return trace;
}

// The policies, as plainly as they can be said.
class Model {
 public:
  Model(const Trace& trace, bool in_bytes, uint64_t capacity)
      : trace_(trace), in_bytes_(in_bytes), capacity_(capacity) {}
  virtual ~Model() = default;
  uint64_t Misses() {
    uint64_t misses = 0;
    for (const uint32_t object : trace_.requests) {
      if (Hit(object)) continue;
      ++misses;
      Miss(object);
    }
    return misses;
  }

 protected:
  uint64_t Weight(uint32_t object) const { return in_bytes_ ? trace_.sizes[object] : 1; }
  uint64_t capacity() const { return capacity_; }
  virtual bool Hit(uint32_t object) = 0;
  virtual void Miss(uint32_t object) = 0;

 private:
  const Trace& trace_;
  const bool in_bytes_;
  const uint64_t capacity_;
};

// Evicts the resident object of the least worth: (rank, when it got that rank).
class RankModel : public Model {
 public:
  enum class Rank : uint8_t { kFifo, kLru, kLfu };
  RankModel(const Trace& trace, bool in_bytes, uint64_t capacity, Rank rank)
      : Model(trace, in_bytes, capacity), rank_(rank) {}

 private:
  using Worth = std::pair<uint64_t, uint64_t>;

  bool Hit(uint32_t object) override {
    const auto it = worths_.find(object);
    if (it == worths_.end()) return false;
    if (rank_ == Rank::kFifo) return true;
    by_worth_.erase(it->second);
    it->second = {it->second.first + (rank_ == Rank::kLfu ? 1 : 0), ++now_};
    by_worth_[it->second] = object;
    return true;
  }
  void Miss(uint32_t object) override {
    while (used_ + Weight(object) > capacity()) {
      const uint32_t victim = by_worth_.begin()->second;
      by_worth_.erase(by_worth_.begin());
      worths_.erase(victim);
      used_ -= Weight(victim);
    }
    used_ += Weight(object);
    worths_[object] = {1, ++now_};
    by_worth_[{1, now_}] = object;
  }

  const Rank rank_;
  uint64_t used_ = 0;
  uint64_t now_ = 0;
  std::map<uint32_t, Worth> worths_;
  std::map<Worth, uint32_t> by_worth_;
};

// S3-FIFO with ghosts that are exact: a FIFO of keys.
class S3FifoModel : public Model {
 public:
  using Model::Model;

 private:
  struct Queue {
    std::list<uint32_t> objects;  // the oldest first
    uint64_t bytes = 0;
  };

  bool Hit(uint32_t object) override {
    const auto it = heats_.find(object);
    if (it == heats_.end()) return false;
    it->second = std::min(it->second + 1, 3);
    return true;
  }
  void Miss(uint32_t object) override {
    const bool was_ghost = Remove(ghosts_, object);
    while (small_.bytes + main_.bytes + Weight(object) > capacity())
      Evict();
    heats_[object] = 0;
    Add(was_ghost ? main_ : small_, object);
  }
  void Add(Queue& queue, uint32_t object) {
    queue.objects.push_back(object);
    queue.bytes += Weight(object);
  }
  bool Remove(Queue& queue, uint32_t object) {
    const auto it = std::find(queue.objects.begin(), queue.objects.end(), object);
    if (it == queue.objects.end()) return false;
    queue.objects.erase(it);
    queue.bytes -= Weight(object);
    return true;
  }
  void Evict() {
    const bool from_main = main_.bytes > capacity() - capacity() / 10 || small_.objects.empty();
    Queue& queue = from_main ? main_ : small_;
    const uint32_t object = queue.objects.front();
    Remove(queue, object);
    int& heat = heats_[object];
    if (heat >= (from_main ? 1 : 2)) {
      heat = from_main ? heat - 1 : 0;
      return Add(main_, object);
    }
    heats_.erase(object);
    if (from_main) return;
    Add(ghosts_, object);
    while (ghosts_.bytes > capacity() * 9 / 10)
      Remove(ghosts_, ghosts_.objects.front());
  }

  std::map<uint32_t, int> heats_;  // of what is resident
  Queue small_;
  Queue main_;
  Queue ghosts_;
};

uint64_t Misses(const Trace& trace, std::string policy, uint64_t capacity, bool in_bytes = false,
                size_t shards = 1) {
  return Replay(trace, {std::move(policy), in_bytes, capacity, shards}).misses;
}

// A place in one of 16 shards is worth as much as one of all.
TEST(ReplayShards, MissNoMoreThanOneCacheDoes) {
  const Trace trace = Mixed(60'000);
  for (const char* policy : {"s3fifo", "adaptive"}) {
    const auto whole = static_cast<double>(Misses(trace, policy, 1000));
    EXPECT_LT(static_cast<double>(Misses(trace, policy, 1000, false, 16)), whole * 1.005) << policy;
  }
}

class ReplayAgainstModel : public testing::TestWithParam<std::tuple<bool, int>> {
 protected:
  const Trace trace_ = Mixed(60'000);
  const bool in_bytes_ = std::get<0>(GetParam());
  const uint64_t capacity_ = static_cast<uint64_t>(std::get<1>(GetParam())) * (in_bytes_ ? 500 : 1);
};

TEST_P(ReplayAgainstModel, FifoLruAndPlainLfuAreExact) {
  using Rank = RankModel::Rank;
  for (const auto& [name, rank] : {std::pair{"fifo", Rank::kFifo}, std::pair{"lru", Rank::kLru},
                                   std::pair{"lfu-plain", Rank::kLfu}}) {
    EXPECT_EQ(Misses(trace_, name, capacity_, in_bytes_),
              RankModel(trace_, in_bytes_, capacity_, rank).Misses())
        << name;
  }
}

TEST_P(ReplayAgainstModel, S3FifoIsWithinAHundredth) {
  const uint64_t exact = S3FifoModel(trace_, in_bytes_, capacity_).Misses();
  const uint64_t misses = Misses(trace_, "s3fifo", capacity_, in_bytes_);
  EXPECT_NEAR(static_cast<double>(misses) / static_cast<double>(exact), 1, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ReplayAgainstModel,
                         testing::Combine(testing::Bool(), testing::Values(50, 300, 1200)));

TEST(Replay, NoPolicyExceedsTheCapacityOrLosesAnEntry) {
  const Trace trace = Mixed(60'000);
  for (const std::string_view policy : bench::ReplayPolicies()) {
    for (const bool in_bytes : {false, true}) {
      const uint64_t capacity = in_bytes ? 100'000 : 200;
      const auto result = Replay(trace, {std::string(policy), in_bytes, capacity, 1});
      EXPECT_LE(result.most_resident, capacity) << policy;
      EXPECT_GT(result.most_resident, capacity * 9 / 10) << policy;
      EXPECT_EQ(result.requests, trace.requests.size());
      EXPECT_EQ(result.request_bytes, trace.RequestBytes());
      const uint64_t kept = result.misses - result.evictions;
      EXPECT_TRUE(in_bytes || kept == capacity) << policy << " keeps " << kept;
    }
  }
}

Trace Loop(uint32_t length, uint32_t requests) {
  Trace trace;
  for (uint32_t i = 0; i < requests; ++i)
    trace.requests.push_back(i % length);
  trace.sizes.assign(length, 1);
  return trace;
}

TEST(Replay, ALoopLongerThanTheRoomIsLostOnMostButNotOnTheAdaptive) {
  const Trace trace = Loop(1000, 200'000);
  for (const char* policy : {"fifo", "lru", "arc", "s3fifo"})
    EXPECT_EQ(Misses(trace, policy, 300), trace.requests.size()) << policy;
  EXPECT_LT(Misses(trace, "adaptive", 300), trace.requests.size() * 85 / 100);
}

// Half of the requests are for popular keys, half for keys used exactly twice, `distance` pairs
// apart.
Trace TwoTouch(uint32_t distance) {
  Trace trace;
  std::mt19937 random(3);
  std::geometric_distribution<uint32_t> popular(0.002);
  uint32_t next = 20'000;
  std::deque<uint32_t> again;
  for (int i = 0; i < 100'000; ++i) {
    trace.requests.push_back(std::min(popular(random), 19'999U));
    if (again.size() == distance) {
      trace.requests.push_back(again.front());
      again.pop_front();
    } else {
      again.push_back(next);
      trace.requests.push_back(next++);
    }
  }
  trace.sizes.assign(next, 1);
  return trace;
}

TEST(Replay, KeysUsedTwiceAreLostOnS3FifoButNotOnTheAdaptive) {
  const Trace trace = TwoTouch(150);
  const uint64_t lru = Misses(trace, "lru", 1000);
  EXPECT_GT(Misses(trace, "s3fifo", 1000), lru * 12 / 10);
  EXPECT_LT(Misses(trace, "adaptive", 1000), lru * 11 / 10);
}

TEST(Replay, ScansDoNotPushOutWhatIsPopular) {
  const Trace trace = Mixed(200'000);
  const uint64_t lru = Misses(trace, "lru", 800);
  for (const char* policy : {"s3fifo", "adaptive", "arc", "lfu"})
    EXPECT_LT(Misses(trace, policy, 800), lru * 97 / 100) << policy;
}

TEST(Replay, ShardsCostLittle) {
  const Trace trace = Mixed(200'000);
  for (const char* policy : {"lru", "s3fifo", "adaptive"}) {
    const auto one = static_cast<double>(Misses(trace, policy, 1600));
    EXPECT_NEAR(static_cast<double>(Misses(trace, policy, 1600, false, 16)) / one, 1, 0.02)
        << policy;
  }
}

}  // namespace
}  // namespace cistern::test
