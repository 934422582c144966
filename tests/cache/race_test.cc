// One node, several workers, real threads: what the shard's lock must make true.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <random>

#include "cache/cache.h"
#include "tests/support/thread_executor.h"

namespace cistern::test {
namespace {

using namespace std::chrono_literals;

constexpr int kWorkers = 3;
constexpr int kKeys = 8;
constexpr int kStepsPerWorker = 4000;

class OneNode final : public cache::PeerPicker {
 public:
  cache::Pick Owner(std::string_view) const override { return {}; }
  bool IsReachable(cache::NodeId) const override { return true; }
  void Purge(cache::Executor&, const cache::PurgeScope&, cache::PurgeRound,
             cache::CompletionPtr<cache::Result<uint64_t>> done) override {
    done->Done(0);
  }
  std::vector<cache::PeerStart> Dissenters() const override { return {}; }
  std::string SelfName() const override { return "a"; }
  void Fetch(cache::Executor&, cache::NodeId, std::shared_ptr<cache::PeerFetch>) override {}
  void Notify(cache::NodeId, cache::Incarnation, cache::Notice,
              cache::CompletionPtr<bool>) override {}
  void Invalidate(cache::Executor&, cache::NodeId, std::vector<std::string>,
                  cache::CompletionPtr<cache::Result<int64_t>>) override {}
};

// The truth: a version a key. A load reads it at once, and answers some turns later.
struct Truth {
  std::array<std::atomic<int>, kKeys> written{};    // before the DEL begins
  std::array<std::atomic<int>, kKeys> confirmed{};  // after it was answered
};

class SlowOrigin final : public cache::Origin {
 public:
  explicit SlowOrigin(Truth& truth) : truth_(truth) {}
  void Load(cache::Executor& executor, std::string_view key,
            cache::CompletionPtr<cache::Result<cache::Loaded>> done) override {
    cache::Loaded loaded;
    loaded.value = cache::MakeBlob(std::to_string(truth_.written[key[0] - '0'].load()));
    executor.Post(
        [&executor, done, loaded] { executor.Post([done, loaded] { done->Done(loaded); }); });
  }

 private:
  Truth& truth_;
};

// A worker that does one thing after another: reads mostly, now and then writes and invalidates.
class Actor {
 public:
  Actor(cache::Cache& cache, cache::Executor& executor, Truth& truth, std::latch& finished)
      : cache_(cache),
        executor_(executor),
        truth_(truth),
        finished_(finished),
        random_(static_cast<unsigned>(executor.index())) {}

  void Step() {
    if (++steps_ > kStepsPerWorker) return finished_.count_down();
    const int key = static_cast<int>(random_() % kKeys);
    // One writer a key, so that its versions have an order.
    if (random_() % 8 == 0 && key % kWorkers == executor_.index()) return Write(key);
    Read(key);
  }
  int violations() const { return violations_; }

 private:
  void Read(int key) {
    const int at_least = truth_.confirmed[key].load();
    const std::string text(1, static_cast<char>('0' + key));
    const cache::Key hashed = cache::Key::Of(text);
    int found = -1;
    cache_.Find(executor_, {&hashed, 1}, executor_.clock().Now(),
                [&](size_t, const cache::Found& hit) {
                  if (hit.kind == cache::Found::Kind::kValue)
                    found = std::stoi(std::string(hit.value));
                });
    if (found >= 0) return Judge(key, at_least, found);
    cache_.Get(executor_, hashed, executor_.clock().Now() + 5s,
               cache::Completion<cache::Result<cache::Answer>>::Make(
                   executor_, [this, key, at_least](cache::Result<cache::Answer> answer) {
                     Judge(key, at_least, std::stoi(std::string(answer->value->bytes())));
                   }));
  }
  void Judge(int key, int at_least, int version) {
    if (version < at_least || version > truth_.written[key].load()) ++violations_;
    executor_.Post([this] { Step(); });
  }
  void Write(int key) {
    const int version = truth_.written[key].fetch_add(1) + 1;
    cache_.Delete(executor_, {std::string(1, static_cast<char>('0' + key))},
                  cache::Completion<cache::Result<int64_t>>::Make(
                      executor_, [this, key, version](cache::Result<int64_t>) {
                        truth_.confirmed[key].store(version);
                        Step();
                      }));
  }

  cache::Cache& cache_;
  cache::Executor& executor_;
  Truth& truth_;
  std::latch& finished_;
  std::minstd_rand random_;
  int steps_ = 0;
  int violations_ = 0;
};

TEST(Race, NoGetThatBeginsAfterADelWasAnsweredSeesAnOlderVersion) {
  Truth truth;
  OneNode picker;
  std::vector<std::unique_ptr<ThreadExecutor>> threads;
  std::vector<cache::Executor*> executors;
  for (int i = 0; i < kWorkers; ++i) {
    threads.push_back(std::make_unique<ThreadExecutor>(i));
    executors.push_back(threads.back().get());
  }
  cache::Store::Options options;
  options.workers = kWorkers;
  cache::GroupConfig config;
  config.name = "g";
  config.ttl = 2ms;  // expiry and reclaiming take part
  std::vector<cache::GroupSpec> groups;
  groups.push_back({config, std::make_unique<SlowOrigin>(truth), nullptr});
  cache::Cache cache(options, std::move(groups), executors, picker, cache::SystemClock());
  cache.Start();

  std::latch finished(kWorkers);
  std::vector<std::unique_ptr<Actor>> actors;
  for (cache::Executor* executor : executors) {
    actors.push_back(std::make_unique<Actor>(cache, *executor, truth, finished));
    executor->Post([actor = actors.back().get()] { actor->Step(); });
  }
  finished.wait();
  cache.Shutdown();
  for (auto& thread : threads)
    thread->Stop();

  int versions = 0;
  for (const auto& actor : actors)
    EXPECT_EQ(actor->violations(), 0);
  for (const auto& written : truth.written)
    versions += written.load();
  EXPECT_GT(versions, 100) << "the test must write to mean anything";
  uint64_t loads = 0;
  for (int w = 0; w < kWorkers; ++w)
    loads += cache.groups()[0]->stats(w).local_loads.value();
  EXPECT_GT(loads, 100u) << "... and load";
  EXPECT_EQ(cache.LoadsInFlight(), 0u);
  EXPECT_EQ(cache.groups()[0]->waiting(), 0u);
}

}  // namespace
}  // namespace cistern::test
