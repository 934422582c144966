// growth: what each insertion takes while the store grows from nothing to 10 million entries: one
// row a million, then the histogram of all but the first million.
#include <fmt/core.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "bench/load/histogram.h"
#include "cache/store.h"

namespace cistern::bench {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr uint64_t kMillion = 1'000'000;

struct Arguments {
  uint64_t millions = 10;
  uint64_t memory_mib = 2048;
  size_t value_bytes = 32;
};

// Of this thread.
struct Usage {
  long faults;
  long preempted;

  static Usage Now() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return {usage.ru_minflt + usage.ru_majflt, usage.ru_nivcsw};
  }
};

class Growth {
 public:
  explicit Growth(const Arguments& arguments) : value_(arguments.value_bytes, 'v') {
    group_.has_backend = false;
    cache::Store::Options options;
    options.memory = arguments.memory_mib << 20;
    store_ = std::make_unique<cache::Store>(options, views_);
    preparer_ = std::jthread([this](const std::stop_token& stop) { store_->PrepareMemory(stop); });
    while (!store_->is_memory_prepared())
      std::this_thread::yield();
  }

  // Inserts a million new keys and prints what that took.
  void InsertMillion(load::Histogram& all) {
    load::Histogram million;
    const Usage before = Usage::Now();
    const uint64_t waited = store_->waits_for_memory();
    uint64_t most_touched = 0;
    for (uint64_t i = 0; i < kMillion; ++i) {
      const auto [nanos, touched] = Insert();
      million.Add(nanos);
      all.Add(nanos);
      most_touched = std::max(most_touched, touched);
    }
    const Usage after = Usage::Now();
    fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", next_ / kMillion,
               million.Quantile(0.5), million.Quantile(0.99), million.Quantile(0.999),
               million.Quantile(0.9999), million.largest(), most_touched,
               after.faults - before.faults, store_->waits_for_memory() - waited,
               after.preempted - before.preempted);
    std::fflush(stdout);
  }

 private:
  struct Cost {
    uint64_t nanos;
    uint64_t touched;
  };

  Cost Insert() {
    cache::NewEntry fresh;
    const std::string key = fmt::format("key:{:0{}}", next_++, kKeyBytes - 4);
    fresh.key = key;
    fresh.value = value_blob_;
    const auto start = std::chrono::steady_clock::now();
    fresh.hash = cache::HashKey(key);
    cache::Shard& shard = store_->ShardOf(fresh.hash);
    uint64_t touched = 0;
    {
      const std::lock_guard lock(shard.mutex);
      touched = shard.entries.touched();
      shard.entries.Put(fresh);
      touched = shard.entries.touched() - touched;
    }
    store_->MakeRoom(0);
    const auto took = std::chrono::steady_clock::now() - start;
    return {static_cast<uint64_t>(std::chrono::nanoseconds(took).count()), touched};
  }

  const std::string value_;
  const cache::BlobPtr value_blob_ = cache::MakeBlob(value_);
  cache::GroupConfig group_;
  std::array<const cache::GroupConfig*, 1> views_{&group_};
  std::unique_ptr<cache::Store> store_;
  std::jthread preparer_;
  uint64_t next_ = 0;
};

int Run(const Arguments& arguments) {
  fmt::print("Insertions of {} + {} bytes, in ns.\n\n", kKeyBytes, arguments.value_bytes);
  fmt::print(
      "| million | p50 | p99 | p99.9 | p99.99 | longest | most entries touched | page faults | "
      "waits for memory | preempted |\n|{}\n",
      "---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
  Growth growth(arguments);
  load::Histogram first;
  load::Histogram others;
  for (uint64_t i = 0; i < arguments.millions; ++i)
    growth.InsertMillion(i == 0 ? first : others);
  if (others.count() == 0) return 0;
  fmt::print(
      "\nAll but the first million:\n\n| up to ns | insertions | in all |\n|---:|---:|---:|\n");
  uint64_t sum = 0;
  others.ForEachQuarter([&](uint64_t last, uint64_t count) {
    sum += count;
    fmt::print("| {} | {} | {:.5f} % |\n", last, count,
               100.0 * static_cast<double>(sum) / static_cast<double>(others.count()));
  });
  return 0;
}

}  // namespace
}  // namespace cistern::bench

int main(int argc, char** argv) {
  cistern::bench::Arguments arguments;
  CLI::App app("Inserts new entries into the store and times each.");
  app.add_option("--millions", arguments.millions, "So many entries.")->check(CLI::Range(1, 1000));
  app.add_option("--memory", arguments.memory_mib, "MiB; with less than it takes, entries go.")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--value", arguments.value_bytes, "Bytes of a value.")->check(CLI::Range(0, 4000));
  CLI11_PARSE(app, argc, argv);
  return cistern::bench::Run(arguments);
}
