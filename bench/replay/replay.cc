#include "bench/replay/replay.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>

#include "cache/key.h"
#include "cache/lfu.h"
#include "cache/lru.h"
#include "cache/s3fifo.h"

namespace cistern::bench {
namespace {

using cache::Entry;
using cache::EvictionPolicy;

constexpr std::string_view kPolicies[] = {"fifo",      "lru", "lru-lazy", "lfu",
                                          "lfu-plain", "arc", "s3fifo",   "adaptive"};

std::unique_ptr<EvictionPolicy> MakeReplayPolicy(std::string_view name,
                                                 const cache::PolicyContext& context) {
  if (name == "lru") return std::make_unique<cache::Lru>(context.arena, cache::Lru::Moves::kAlways);
  if (name == "lru-lazy") return std::make_unique<cache::Lru>(context.arena);
  if (name == "lfu-plain")
    return std::make_unique<cache::Lfu>(context.arena, cache::Lfu::Ages::kNo);
  return cache::MakePolicy(name, context);
}

// An object's entry has its weight for a value.
uint64_t WeightOf(const Entry& entry) {
  uint64_t weight = 0;
  std::memcpy(&weight, entry.value().data(), sizeof(weight));
  return weight;
}

// The entries of a trace's objects, resident or not.
class Objects {
 public:
  Objects(const Trace& trace, bool in_bytes)
      : arena_(trace.sizes.size() * kMostEntryBytes), pages_(arena_), slabs_(pages_) {
    entries_.reserve(trace.sizes.size());
    for (const uint64_t size : trace.sizes)
      entries_.push_back(Make(in_bytes ? size : 1));
  }
  ~Objects() {
    for (Entry* entry : entries_)
      Entry::Free(entry, slabs_);
  }
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;

  const cache::Arena& arena() const { return arena_; }
  Entry* operator[](uint32_t object) const { return entries_[object]; }
  size_t size() const { return entries_.size(); }

 private:
  static constexpr size_t kMostEntryBytes = 64;  // header, number, weight

  Entry* Make(uint64_t weight) {
    const std::string key = std::to_string(entries_.size());
    std::string value(sizeof(weight), '\0');
    std::memcpy(value.data(), &weight, sizeof(weight));
    cache::NewEntry fresh;
    fresh.key = key;
    fresh.value = cache::MakeBlob(value);
    return Entry::Make(fresh, slabs_);
  }

  cache::Arena arena_;
  cache::SlabPages pages_;
  cache::Slabs slabs_;
  std::vector<Entry*> entries_;
};

class Simulation {
 public:
  Simulation(const Trace& trace, const ReplayOptions& options)
      : trace_(trace),
        capacity_(options.capacity),
        is_tuned_(options.policy == "adaptive"),
        objects_(trace, options.in_bytes),
        residence_(objects_.size()),
        tables_arena_(kMostTableBytes * trace.sizes.size()),
        table_pages_(tables_arena_),
        tables_(table_pages_),
        sums_(options.shards) {
    for (size_t i = 0; i < options.shards; ++i)
      shards_.push_back(MakeReplayPolicy(options.policy, {.arena = objects_.arena(),
                                                          .tables = tables_,
                                                          .weigh = WeightOf,
                                                          .counts = {&result_.counts, 1},
                                                          .shard = i,
                                                          .sums = &sums_,
                                                          .tuner = &tuner_}));
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
  void Request(uint32_t object) {
    Entry* entry = objects_[object];
    const uint64_t hash = entry->hash();
    EvictionPolicy& policy = *shards_[(hash >> 32) * shards_.size() >> 32];
    ++result_.requests;
    result_.request_bytes += trace_.sizes[object];
    if (residence_[object]) return policy.Hit(entry, hash);
    ++result_.misses;
    result_.miss_bytes += trace_.sizes[object];
    const uint64_t weight = WeightOf(*entry);
    if (weight > capacity_) return;
    while (resident_ + weight > capacity_)
      Evict();
    policy.Insert(entry, hash);
    residence_[object] = true;
    resident_ += weight;
    result_.most_resident = std::max(result_.most_resident, resident_);
  }

  // As the store does.
  size_t NextToEvict() {
    const size_t turn = turn_++ % shards_.size();
    if (sums_.entries() == 0) return turn;  // of another policy
    return cache::S3Fifo::NextShard(sums_, is_tuned_ ? &tuner_ : nullptr, turn);
  }

  void Evict() {
    const Entry* victim = nullptr;
    while (victim == nullptr)
      victim = shards_[NextToEvict()]->Evict();
    resident_ -= WeightOf(*victim);
    residence_[std::stoul(std::string(victim->key()))] = false;
    ++result_.evictions;
  }

  const Trace& trace_;
  const uint64_t capacity_;
  const bool is_tuned_;
  ReplayResult result_;
  const Objects objects_;
  std::vector<bool> residence_;
  // What policies remember of objects.
  static constexpr size_t kMostTableBytes = 16;
  cache::Arena tables_arena_;
  cache::SlabPages table_pages_;
  cache::Slabs tables_;
  cache::S3FifoSums sums_;
  cache::S3FifoTuner tuner_;
  std::vector<std::unique_ptr<EvictionPolicy>> shards_;
  size_t turn_ = 0;
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
