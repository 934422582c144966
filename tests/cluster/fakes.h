// Scripted doubles of what cluster/ asks of others, and ways to wait for what happens on a loop.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cluster/command_runner.h"
#include "cluster/peer_service.h"
#include "net/loop.h"

namespace cistern::cluster {

inline constexpr auto kTestPatience = std::chrono::seconds(20);

// Runs `task` on the loop's thread and waits for it.
inline void OnLoop(net::Loop& loop, const std::function<void()>& task) {
  std::promise<void> done;
  loop.Post([&] {
    task();
    done.set_value();
  });
  ASSERT_EQ(done.get_future().wait_for(kTestPatience), std::future_status::ready);
}

// What has happened, in order; tests wait until something has.
template <class Event>
class Record {
 public:
  void Add(Event event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  // The events so far, at least `count`: made up, and the test failed, when its patience ends.
  std::vector<Event> Await(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kTestPatience, [&] { return events_.size() >= count; }))
        << "only " << events_.size() << " events";
    std::vector<Event> events = events_;
    if (events.size() < count) events.resize(count);
    return events;
  }
  size_t size() {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
};

// Found, with a value.
inline cache::PeerReply Found(std::string value) {
  cache::PeerReply reply;
  reply.loaded.value = cache::MakeBlob(value);
  return reply;
}

class FakeService : public PeerService {
 public:
  using GetDone = cache::CompletionPtr<cache::Result<cache::PeerReply>>;
  using InvalidateDone = cache::CompletionPtr<cache::Result<int64_t>>;

  cache::Budget& budget() override { return memory; }
  void Prefetch(std::span<const cache::Key>) override {}
  bool Find(cache::Executor&, const PeerLook& look, const Take& take) override {
    return find && find(look, take);
  }
  void Get(cache::Executor&, PeerGetRequest request, GetDone done) override {
    gets.Add(request);
    get(std::move(request), std::move(done));
  }
  void DropCopies(const cache::Notice& notice, cache::NodeId) override { notices.Add(notice); }
  void Invalidate(cache::Executor&, std::vector<std::string> keys, InvalidateDone done) override {
    invalidate(std::move(keys), std::move(done));
  }
  void Purge(cache::Executor&, const cache::PurgeScope& scope, cache::PurgeRound round,
             cache::CompletionPtr<cache::Result<bool>> done) override {
    purges.Add({scope.name, round});
    done->Done(true);
  }
  void ChangeOwners(cache::OwnerChange change) override {
    change.publish();
    changes.Add(change.gains);
    change.swept();
  }
  void CutDisputed() override { cuts.Add({}); }
  void PeerHeard(cache::Duration) override { heard.Add({}); }

  // By default nothing is found at once.
  std::function<bool(const PeerLook&, const Take&)> find;
  // By default every key's value is "value of <key>".
  std::function<void(PeerGetRequest, GetDone)> get = [](const PeerGetRequest& request,
                                                        const GetDone& done) {
    done->Done(Found("value of " + request.key));
  };
  std::function<void(std::vector<std::string>, InvalidateDone)> invalidate =
      [](const std::vector<std::string>& keys, const InvalidateDone& done) {
        done->Done(static_cast<int64_t>(keys.size()));
      };
  cache::Budget memory{uint64_t{1} << 30};
  Record<PeerGetRequest> gets;
  Record<cache::Notice> notices;
  Record<std::pair<std::string, cache::PurgeRound>> purges;
  Record<std::monostate> heard;
  Record<bool> changes;  // whether this node gains
  Record<std::monostate> cuts;
};

class FakeRunner : public CommandRunner {
 public:
  using Done = cache::CompletionPtr<cache::Result<CommandReply>>;

  void Run(cache::Executor&, std::vector<std::string> args, Done done) override {
    commands.Add(args);
    run(std::move(args), std::move(done));
  }

  std::function<void(std::vector<std::string>, Done)> run = [](const std::vector<std::string>&,
                                                               const Done& done) {
    done->Done(CommandReply{CommandReply::Status{"OK"}});
  };
  Record<std::vector<std::string>> commands;
};

// A key that is asked for; the test waits for its answer.
class FakeFetch : public cache::PeerFetch {
 public:
  using Reply = cache::Result<cache::PeerReply>;

  explicit FakeFetch(std::string key, cache::Duration left = std::chrono::seconds(20))
      : key_(std::move(key)), deadline_(cache::SystemClock().Now() + left) {}

  std::string_view key() const override { return key_; }
  cache::Wish wish() const override { return wish_wanted; }
  cache::Instant deadline() const override { return deadline_; }
  bool OnSending(cache::Instant) override {
    ++sendings;
    return wanted;
  }
  void OnReply(Reply reply) override {
    if (reply) reply->Own();
    replies.Add(std::move(reply));
  }

  Reply Answer() {
    auto all = replies.Await(1);
    return all.empty() ? Reply(tl::unexpected(cache::errors::Shutdown())) : all[0];
  }
  std::string Value() {
    const Reply reply = Answer();
    if (!reply) return "error: " + reply.error().text;
    return reply->loaded.value ? std::string(reply->loaded.value->bytes()) : "(not found)";
  }

  cache::Wish wish_wanted = cache::Wish::kNone;
  std::atomic<bool> wanted = true;
  std::atomic<int> sendings = 0;
  Record<Reply> replies;

 private:
  const std::string key_;
  const cache::Instant deadline_;
};

}  // namespace cistern::cluster
