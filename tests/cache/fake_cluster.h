// Several caches in one process, joined by a network and backends that the test holds in its hand.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "tests/support/manual_executor.h"

namespace cistern::test {

using namespace std::chrono_literals;

// Every answer of an owner carries a lease, and clients may write.
inline cache::GroupConfig AlwaysHot() {
  cache::GroupConfig config;
  config.name = "g";
  config.hot_sample = 1;
  config.writes = cache::Writes::kCache;
  return config;
}

// A backend whose loads wait until the test answers them, or answers at once from `rows`.
class FakeOrigin final : public cache::Origin {
 public:
  struct Parked {
    std::string key;
    cache::CompletionPtr<cache::Result<cache::Loaded>> done;
  };
  struct State {
    bool parked = false;                      // loads wait in `waiting`
    std::map<std::string, std::string> rows;  // what the backend has, read when a load is answered
    std::map<std::string, int> loads;         // by key, how often it was asked
    std::deque<Parked> waiting;
    std::optional<std::string> failure;
    int total() const {
      int sum = 0;
      for (const auto& [key, n] : loads)
        sum += n;
      return sum;
    }
  };

  explicit FakeOrigin(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void Load(cache::Executor&, std::string_view key,
            cache::CompletionPtr<cache::Result<cache::Loaded>> done) override {
    ++state_->loads[std::string(key)];
    if (state_->parked) {
      state_->waiting.push_back({std::string(key), std::move(done)});
    } else {
      Answer({std::string(key), std::move(done)}, *state_);
    }
  }
  static void Answer(const Parked& load, const State& state) {
    if (state.failure) {
      return load.done->Done(tl::unexpected(cache::errors::Backend("g", *state.failure)));
    }
    cache::Loaded loaded;
    const auto at = state.rows.find(load.key);
    if (at != state.rows.end()) loaded.value = cache::MakeBlob(at->second);
    load.done->Done(std::move(loaded));
  }

 private:
  std::shared_ptr<State> state_;
};

class FakeCluster;

// One node: a cache, its executor, its view of who owns what.
class FakeNode final : public cache::PeerPicker {
 public:
  FakeNode(FakeCluster& cluster, cache::NodeId id) : cluster_(cluster), id_(id) {}

  cache::Pick Owner(std::string_view key) const override {
    const cache::NodeId node = owner_of ? owner_of(key) : 0;
    return {node == id_, node, epoch, disputed};
  }
  std::vector<cache::PeerStart> Dissenters() const override { return dissenters; }
  bool IsReachable(cache::NodeId node) const override;
  std::string SelfName() const override { return std::string(1, static_cast<char>('a' + id_)); }
  void Fetch(cache::Executor& executor, cache::NodeId node,
             std::shared_ptr<cache::PeerFetch> fetch) override;
  void Notify(cache::NodeId node, cache::Incarnation incarnation, cache::Notice notice,
              cache::CompletionPtr<bool> acknowledged) override;
  void Invalidate(cache::Executor& executor, cache::NodeId node, std::vector<std::string> keys,
                  cache::CompletionPtr<cache::Result<int64_t>> done) override;
  void Purge(cache::Executor& executor, const cache::PurgeScope& scope, cache::PurgeRound round,
             cache::CompletionPtr<cache::Result<uint64_t>> done) override;

  std::function<cache::NodeId(std::string_view)> owner_of;
  std::unique_ptr<ManualExecutor> executor;
  std::unique_ptr<cache::Cache> cache;
  bool disputed = false;  // every slot
  std::vector<cache::PeerStart> dissenters;
  bool reachable = true;
  bool heard_by_others = false;  // than the asking worker, though it is not reachable
  uint64_t epoch = 1;
  uint64_t incarnation = 1;

 private:
  FakeCluster& cluster_;
  const cache::NodeId id_;
};

class FakeCluster {
 public:
  // All keys belong to node 0 unless the test says otherwise.
  explicit FakeCluster(int nodes, cache::GroupConfig config = {},
                       cache::Store::Options options = {}) {
    if (config.name.empty()) config.name = "g";
    backend->rows = {{"k", "v1"}};
    for (int i = 0; i < nodes; ++i) {
      auto node = std::make_unique<FakeNode>(*this, static_cast<cache::NodeId>(i));
      node->executor = std::make_unique<ManualExecutor>(clock);
      std::vector<cache::GroupSpec> groups;
      groups.push_back(
          {config, std::make_unique<FakeOrigin>(backend), [this](const cache::Error* error) {
             health.push_back(error != nullptr ? error->text : "well");
           }});
      cache::Executor* executors[] = {node->executor.get()};
      node->cache =
          std::make_unique<cache::Cache>(options, std::move(groups), executors, *node, clock);
      nodes_.push_back(std::move(node));
    }
  }
  // Whoever still waits is told, then everything under way lands while the caches still live.
  ~FakeCluster() {
    for (auto& node : nodes_)
      node->cache->Shutdown();
    backend->parked = false;
    hold_frames = false;
    hold_notices = false;
    AnswerLoads();
    Run();
    clock.Advance(1h);
    Run();
  }

  FakeNode& operator[](int i) { return *nodes_[i]; }
  size_t size() const { return nodes_.size(); }
  const cache::GroupStats& stats(int i) { return nodes_[i]->cache->groups()[0]->stats(0); }

  // Runs every executor and delivers every message that is not held, until nothing moves.
  void Run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& node : nodes_)
        moved |= node->executor->RunTurn();
      moved |= Deliver(frames, hold_frames);
      moved |= Deliver(notices, hold_notices);
    }
  }
  void AnswerLoads() {
    auto waiting = std::exchange(backend->waiting, {});
    for (const auto& load : waiting)
      FakeOrigin::Answer(load, *backend);
  }

  struct GetResult {
    bool answered = false;
    std::optional<std::string> value;
    std::optional<cache::Error> error;
    bool was_hit = false;
  };
  using GetPtr = std::shared_ptr<GetResult>;

  // A client's GET at node `i`: the hit path, then the miss path. Answered by Run().
  GetPtr StartGet(int i, std::string key, cache::Duration timeout = 5s) {
    FakeNode& node = *nodes_[i];
    auto result = std::make_shared<GetResult>();
    const cache::Key hashed = cache::Key::Of(key);
    node.cache->Find(*node.executor, {&hashed, 1}, clock.Now(),
                     [&](size_t, const cache::Found& found) {
                       if (found.kind == cache::Found::Kind::kMiss) return;
                       result->answered = result->was_hit = true;
                       if (found.kind == cache::Found::Kind::kValue) result->value = found.value;
                     });
    if (!result->answered) StartMiss(i, key, timeout, result);
    return result;
  }
  void StartMiss(int i, const std::string& key, cache::Duration timeout, const GetPtr& result) {
    FakeNode& node = *nodes_[i];
    auto done = cache::Completion<cache::Result<cache::Answer>>::Make(
        *node.executor,
        [result](cache::Result<cache::Answer> answer) {
          result->answered = true;
          if (!answer) result->error = answer.error();
          if (answer && answer->value) result->value = std::string(answer->value->bytes());
        },
        timeout,
        [timeout]() -> cache::Result<cache::Answer> {
          return tl::unexpected(cache::errors::Timeout(timeout));
        });
    node.cache->Get(*node.executor, cache::Key::Of(key), clock.Now() + timeout, done);
  }
  GetPtr Get(int i, const std::string& key) {
    GetPtr result = StartGet(i, key);
    Run();
    return result;
  }

  using Deleted = std::shared_ptr<std::optional<cache::Result<int64_t>>>;
  Deleted StartDelete(int i, std::vector<std::string> keys) {
    auto result = std::make_shared<std::optional<cache::Result<int64_t>>>();
    FakeNode& node = *nodes_[i];
    node.cache->Delete(
        *node.executor, std::move(keys),
        cache::Completion<cache::Result<int64_t>>::Make(
            *node.executor, [result](cache::Result<int64_t> r) { *result = std::move(r); }));
    return result;
  }
  // A change at node `i`, which must own the key.
  using Updated = std::shared_ptr<std::optional<cache::Result<bool>>>;
  Updated StartUpdate(int i, const std::string& key, cache::Touches touches,
                      const cache::Decide& decide) {
    auto result = std::make_shared<std::optional<cache::Result<bool>>>();
    FakeNode& node = *nodes_[i];
    cache::Recalls recalls;
    const auto changed =
        node.cache->UpdateHere(*node.executor, cache::Key::Of(key), touches, decide, &recalls);
    node.cache->Confirm(*node.executor, std::move(recalls),
                        [result, changed] { *result = changed; });
    return result;
  }
  Updated StartSet(int i, const std::string& key, const std::string& value,
                   cache::Instant expires = cache::kNever) {
    return StartUpdate(i, key, cache::Touches::kValue, [&](const cache::Entry*) {
      return cache::Change::Store(cache::MakeBlob(value), expires);
    });
  }

  ManualClock clock;
  std::shared_ptr<FakeOrigin::State> backend = std::make_shared<FakeOrigin::State>();
  std::deque<std::function<void()>> frames;   // gets, their replies, invalidations: one at a time
  std::deque<std::function<void()>> notices;  // notices and acknowledgements
  bool hold_frames = false;
  bool hold_notices = false;
  std::vector<std::string> health;  // what was told of the backend
  int links_lost = 0;               // so many of the next gets are sent and never answered
  std::vector<cache::PurgeRound> purge_rounds;  // as they were begun
  int gets_sent = 0;
  int notices_sent = 0;

 private:
  static bool Deliver(std::deque<std::function<void()>>& queue, bool held) {
    if (held || queue.empty()) return false;
    auto message = std::move(queue.front());
    queue.pop_front();
    message();
    return true;
  }

  std::vector<std::unique_ptr<FakeNode>> nodes_;
};

inline bool FakeNode::IsReachable(cache::NodeId node) const {
  const FakeNode& asked = cluster_[static_cast<int>(node)];
  return asked.reachable || asked.heard_by_others;
}

inline void FakeNode::Fetch(cache::Executor& from, cache::NodeId node,
                            std::shared_ptr<cache::PeerFetch> fetch) {
  from.AtTurnEnd([this, node, fetch] {
    FakeNode& owner = cluster_[static_cast<int>(node)];
    if (!owner.reachable) {
      return fetch->OnReply(tl::unexpected(cache::errors::PeerUnreachable(owner.SelfName())));
    }
    if (!fetch->OnSending(cluster_.clock.Now())) return;
    ++cluster_.gets_sent;
    if (cluster_.links_lost > 0) {
      --cluster_.links_lost;
      return fetch->OnReply(tl::unexpected(cache::errors::PeerLost(owner.SelfName())));
    }
    auto reply = [this, fetch](cache::Result<cache::PeerReply> answer) {
      cluster_.frames.push_back([fetch, answer = std::move(answer)] { fetch->OnReply(answer); });
    };
    cluster_.frames.push_back([this, &owner, fetch, reply] {
      cache::PeerGet get{fetch->key(), id_, 1, epoch, fetch->wish(), fetch->deadline()};
      owner.cache->ServePeer(
          *owner.executor, get,
          cache::Completion<cache::Result<cache::PeerReply>>::Make(*owner.executor, reply));
    });
  });
}

inline void FakeNode::Notify(cache::NodeId node, cache::Incarnation, cache::Notice notice,
                             cache::CompletionPtr<bool> acknowledged) {
  ++cluster_.notices_sent;
  cluster_.notices.push_back([this, node, notice = std::move(notice), acknowledged] {
    cluster_[static_cast<int>(node)].cache->DropCopies(notice);
    cluster_.notices.push_back([acknowledged] { acknowledged->Done(true); });
  });
}

inline void FakeNode::Invalidate(cache::Executor&, cache::NodeId node,
                                 std::vector<std::string> keys,
                                 cache::CompletionPtr<cache::Result<int64_t>> done) {
  cluster_.frames.push_back([this, node, keys = std::move(keys), done]() mutable {
    FakeNode& owner = cluster_[static_cast<int>(node)];
    cache::Recalls recalls;
    const auto erased = owner.cache->InvalidateHere(*owner.executor, keys, &recalls);
    owner.cache->Confirm(*owner.executor, std::move(recalls),
                         [done, erased] { done->Done(erased); });
  });
}

inline void FakeNode::Purge(cache::Executor& from, const cache::PurgeScope& scope,
                            cache::PurgeRound round,
                            cache::CompletionPtr<cache::Result<uint64_t>> done) {
  cluster_.purge_rounds.push_back(round);
  auto left = std::make_shared<size_t>(cluster_.size() - 1);
  auto who = std::make_shared<uint64_t>(0);
  if (*left == 0) return done->Done(0);
  for (size_t i = 0; i < cluster_.size(); ++i) {
    if (i == id_) continue;
    FakeNode& node = cluster_[static_cast<int>(i)];
    if (!node.reachable) {
      done->Done(tl::unexpected(cache::errors::NotPurged(node.SelfName())));
      continue;
    }
    auto part = cache::Completion<cache::Result<bool>>::Make(
        from, [left, who, done, &node](const cache::Result<bool>& result) {
          if (!result) return done->Done(tl::unexpected(result.error()));
          *who += node.incarnation;
          if (--*left == 0) done->Done(*who);
        });
    cluster_.frames.push_back(
        [&node, scope, round, part] { node.cache->PurgeHere(*node.executor, scope, round, part); });
  }
}

}  // namespace cistern::test
