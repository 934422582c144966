#include "bench/replay/replay.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>

#include "cache/key.h"
#include "cache/lfu.h"
#include "cache/lru.h"
#include "cache/s3fifo_tuner.h"

namespace cistern::bench {
namespace {

using cache::Entry;
using cache::EvictionPolicy;

constexpr std::string_view kPolicies[] = {"fifo",      "lru", "lru-lazy", "lfu",
                                          "lfu-plain", "arc", "s3fifo",   "adaptive"};

std::unique_ptr<EvictionPolicy> MakeReplayPolicy(std::string_view name,
                                                 cache::PolicyContext context) {
  if (name == "lru") return std::make_unique<cache::Lru>(cache::Lru::Moves::kAlways);
  if (name == "lru-lazy") return std::make_unique<cache::Lru>();
  if (name == "lfu-plain") return std::make_unique<cache::Lfu>(cache::Lfu::Ages::kNo);
  return cache::MakePolicy(name, context);
}

// An object's entry has its weight for a value.
uint64_t WeightOf(const Entry& entry) {
  uint64_t weight = 0;
  std::memcpy(&weight, entry.value().data(), sizeof(weight));
  return weight;
}

struct FreeEntry {
  void operator()(Entry* entry) const { Entry::Free(entry); }
};
using EntryPtr = std::unique_ptr<Entry, FreeEntry>;

EntryPtr MakeEntry(uint32_t object, uint64_t weight) {
  const std::string key = std::to_string(object);
  std::string value(sizeof(weight), '\0');
  std::memcpy(value.data(), &weight, sizeof(weight));
  cache::NewEntry fresh;
  fresh.key = key;
  fresh.hash = cache::HashKey(key);
  fresh.value = cache::MakeBlob(std::move(value));
  return EntryPtr(Entry::Make(fresh));
}

class Simulation {
 public:
  Simulation(const Trace& trace, const ReplayOptions& options)
      : trace_(trace), capacity_(options.capacity / options.shards), tuner_(options.shards) {
    for (size_t object = 0; object < trace.sizes.size(); ++object) {
      entries_.push_back(
          MakeEntry(static_cast<uint32_t>(object), options.in_bytes ? trace.sizes[object] : 1));
    }
    residence_.resize(entries_.size());
    for (size_t i = 0; i < options.shards; ++i)
      shards_.push_back(
          {MakeReplayPolicy(options.policy, {WeightOf, {&result_.counts, 1}, &tuner_})});
  }

  ReplayResult Run() {
    const auto start = std::chrono::steady_clock::now();
    for (const uint32_t object : trace_.requests)
      Request(object);
    result_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result_;
  }

 private:
  struct Shard {
    std::unique_ptr<EvictionPolicy> policy;
    uint64_t resident = 0;
  };

  void Request(uint32_t object) {
    Entry* entry = entries_[object].get();
    Shard& shard = shards_[(entry->hash() >> 32) * shards_.size() >> 32];
    ++result_.requests;
    result_.request_bytes += trace_.sizes[object];
    if (residence_[object]) return shard.policy->Hit(entry);
    ++result_.misses;
    result_.miss_bytes += trace_.sizes[object];
    const uint64_t weight = WeightOf(*entry);
    if (weight > capacity_) return;
    while (shard.resident + weight > capacity_)
      Evict(shard);
    shard.policy->Insert(entry);
    residence_[object] = true;
    shard.resident += weight;
    resident_ += weight;
    result_.most_resident = std::max(result_.most_resident, resident_);
  }

  void Evict(Shard& shard) {
    const Entry* victim = shard.policy->Evict();
    shard.resident -= WeightOf(*victim);
    resident_ -= WeightOf(*victim);
    residence_[std::stoul(std::string(victim->key()))] = false;
    ++result_.evictions;
  }

  const Trace& trace_;
  const uint64_t capacity_;  // of a shard
  ReplayResult result_;
  std::vector<EntryPtr> entries_;  // by object
  std::vector<bool> residence_;
  cache::S3FifoTuner tuner_;
  std::vector<Shard> shards_;
  uint64_t resident_ = 0;
};

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double ReplayResult::MissRatio() const {
  return Ratio(misses, requests);
}

double ReplayResult::ByteMissRatio() const {
  return Ratio(miss_bytes, request_bytes);
}

std::span<const std::string_view> ReplayPolicies() {
  return kPolicies;
}

ReplayResult Replay(const Trace& trace, const ReplayOptions& options) {
  return Simulation(trace, options).Run();
}

}  // namespace cistern::bench
