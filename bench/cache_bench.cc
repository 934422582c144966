// What the store costs without sockets: finding and putting entries of 16 + 32 bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cache/lookahead.h"
#include "cache/store.h"

namespace {

using namespace cistern;

constexpr cache::Instant kNow{std::chrono::seconds(1)};
constexpr size_t kValueBytes = 32;

std::string KeyBytes(uint64_t number) {
  std::string key = "key:000000000000";
  for (size_t i = key.size(); number > 0; number /= 10)
    key[--i] = static_cast<char>('0' + number % 10);
  return key;
}

class Filled {
 public:
  Filled(uint64_t memory, uint64_t keys) {
    group_.has_backend = false;
    cache::Store::Options options;
    options.memory = memory;
    store_ = std::make_unique<cache::Store>(options, views_);
    for (uint64_t i = 0; i < keys; ++i)
      Put(KeyBytes(i));
  }

  void Put(std::string_view key) {
    cache::NewEntry fresh;
    fresh.key = key;
    fresh.hash = cache::HashKey(key);
    fresh.value = cache::MakeBlob(std::string(kValueBytes, 'v'));
    cache::Shard& shard = store_->ShardOf(fresh.hash);
    {
      const std::lock_guard lock(shard.mutex);
      shard.entries.Put(fresh);
    }
    store_->MakeRoom(0);
  }
  // Copies the value out, as a reply does; false if it is absent.
  bool Find(const cache::Key& key, std::span<char> out) {
    cache::Shard& shard = store_->ShardOf(key.hash);
    const std::lock_guard lock(shard.mutex);
    cache::Entry* entry = shard.entries.Find(key.bytes, key.hash, kNow);
    if (entry == nullptr) return false;
    shard.entries.Hit(entry, key.hash);
    std::ranges::copy(entry->value(), out.begin());
    return true;
  }
  cache::Store& store() { return *store_; }

 private:
  cache::GroupConfig group_;
  std::array<const cache::GroupConfig*, 1> views_{&group_};
  std::unique_ptr<cache::Store> store_;
};

// Random keys in batches, as a read of pipelined requests brings them: hashed, prefetched, found.
void FindInBatches(benchmark::State& state, bool prefetch) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const auto batch = static_cast<size_t>(state.range(1));
  Filled filled(uint64_t{8} << 30, keys);
  std::mt19937_64 random(7);
  std::vector<std::string> bytes(1 << 16);
  for (std::string& key : bytes)
    key = KeyBytes(random() % keys);
  std::vector<cache::Key> found(batch);
  std::array<char, kValueBytes> value;
  size_t at = 0;
  for (auto _ : state) {
    for (cache::Key& key : found)
      key = cache::Key::Of(bytes[at++ % bytes.size()]);
    if (prefetch) cache::Lookahead::AtOnce(filled.store(), found);
    for (const cache::Key& key : found) {
      if (!filled.Find(key, value)) state.SkipWithError("a key is absent");
      benchmark::DoNotOptimize(value);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
}

void StoreFind(benchmark::State& state) {
  FindInBatches(state, false);
}
BENCHMARK(StoreFind)->ArgNames({"keys", "batch"})->ArgsProduct({{1000, 1 << 20}, {1, 64}});

void StoreFindPrefetched(benchmark::State& state) {
  FindInBatches(state, true);
}
BENCHMARK(StoreFindPrefetched)
    ->ArgNames({"keys", "batch"})
    ->ArgsProduct({{1000, 1 << 20}, {1, 16, 64}});

void StorePutAgain(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  Filled filled(uint64_t{1} << 30, keys);
  std::mt19937_64 random(7);
  for (auto _ : state)
    filled.Put(KeyBytes(random() % keys));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(StorePutAgain)->ArgName("keys")->Arg(1000)->Arg(1 << 20);

// Each put is of a new key, and something has to go for it.
void StorePutEvicting(benchmark::State& state) {
  const auto memory = static_cast<uint64_t>(state.range(0)) << 20;
  Filled filled(memory, memory / (16 + kValueBytes));
  uint64_t next = memory;
  for (auto _ : state)
    filled.Put(KeyBytes(next++));
  if (filled.store().Counts(0).evictions(cache::Role::kMain) == 0)
    state.SkipWithError("nothing was evicted");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(StorePutEvicting)->ArgName("MiB")->Arg(4)->Arg(128);

}  // namespace
