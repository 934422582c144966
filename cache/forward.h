// Forward: the requests for one key that this node does not own: one running, one collecting.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/group.h"
#include "cache/waiter.h"

namespace cistern::cache {

class ForwardPath;
struct Request;

// A key's own bytes: most are short, and lie inside.
class KeyBytes {
 public:
  explicit KeyBytes(std::string_view of) : size_(of.size()) {
    if (size_ > sizeof short_) long_ = std::make_unique<char[]>(size_);
    of.copy(long_ ? long_.get() : short_, size_);
  }
  KeyBytes(const KeyBytes&) = delete;
  KeyBytes& operator=(const KeyBytes&) = delete;
  std::string_view view() const { return {long_ ? long_.get() : short_, size_}; }

 private:
  const size_t size_;
  char short_[40];
  std::unique_ptr<char[]> long_;
};

// A request in the hands of its peer's link. Part of it, and holds it no longer than the link does.
class Outgoing final : public PeerFetch {
 public:
  explicit Outgoing(Request& request) : request_(request) {}

  // `executor`'s thread carries it and hears the answer.
  std::shared_ptr<PeerFetch> HandOver(ForwardPath& path, Executor& executor);

  std::string_view key() const override;
  Wish wish() const override;
  Instant deadline() const override;
  bool OnSending(Instant sent) override;
  void OnReply(Result<PeerReply> reply) override;

 private:
  Request& request_;
  ForwardPath* path_ = nullptr;
  Executor* executor_ = nullptr;
};

// One request for one key, sent or to be sent. Guarded by the shard's lock, but for what is const.
struct Request : std::enable_shared_from_this<Request> {
  enum class State : uint8_t {
    kCollecting,  // GETs join; it waits for the one before it
    kDispatched,  // GETs still join; it is in the hands of whoever sends it
    kSent,        // nobody joins
    kFinished,
  };

  Request(std::string_view of, uint64_t key_hash, Group& its_group)
      : key_bytes(of), hash(key_hash), group(its_group) {}

  const KeyBytes key_bytes;
  const std::string_view key = key_bytes.view();
  const uint64_t hash;
  Group& group;

  State state = State::kCollecting;
  Waiters waiters;
  Instant deadline;  // the latest of the waiters'
  Wish wish = Wish::kNone;
  bool background = false;  // renews a copy: goes out though nobody waits
  bool detached = false;    // once sent: an invalidation has passed, what it brings is not kept
  Instant sent;
  uint32_t mark = 0;  // of copies, in force when it was sent
  Charge charge;
  Outgoing outgoing{*this};
};

using RequestPtr = std::shared_ptr<Request>;

// The requests of one shard. A GET must be answered by a request that is sent after it arrived, so
// it joins the one of its key that collects; that one leaves when the running one has returned, or
// after half its time. A thousand cold GETs of a key cost two messages. Guarded by the shard's
// lock.
class ForwardTable {
 public:
  // The request that a GET which arrived now joins: the collecting one, made if there is none.
  RequestPtr Join(std::string_view key, uint64_t hash, Group& group);
  // The one that has not been sent yet; null if there is none.
  Request* Collecting(std::string_view key, uint64_t hash) const { return Of(key, hash).unsent; }
  // Marks the collecting request as handed over if it may leave now: nothing runs, or `half_time`.
  // Returns it, or null when there is nothing to send.
  RequestPtr Dispatch(std::string_view key, uint64_t hash, bool half_time);
  // `request` leaves now, under `mark`.
  static void MarkSent(Request& request, Instant now, uint32_t mark);
  // `request` has returned, or was dropped unsent.
  void Finish(Request& request);
  // Every request of the key that has been sent: its waiters are answered, its result is not kept.
  void Detach(std::string_view key);
  // Likewise for each key of which detach(key) is true.
  template <class Which>
  void DetachIf(Which detach) {
    std::erase_if(table_, [&](const auto& item) {
      return item.second->state == Request::State::kSent && detach(item.second->key) &&
             (item.second->detached = true);
    });
  }
  // Takes out those who wait; the requests go on for nobody.
  void TakeWaiters(Waiters* taken);
  size_t size() const { return table_.size(); }

 private:
  // What there is of one key.
  struct OfKey {
    Request* unsent = nullptr;
    Request* running = nullptr;  // sent; there is more than one only after half a time has passed
  };
  OfKey Of(std::string_view key, uint64_t hash) const;

  using Item = std::pair<const uint64_t, RequestPtr>;  // by the key's hash
  std::unordered_multimap<uint64_t, RequestPtr, std::hash<uint64_t>, std::equal_to<>,
                          Recycler<Item>>
      table_;
};

}  // namespace cistern::cache
