// RedisLink: one connection to a Redis server: hiredis' reader and writer of the protocol on a
// net::Stream. (Not hiredis' own connections: those resolve names in the loop's thread and have no
// connect timeout, and their adapter for libuv never tells of a refused connect.)
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "loader/redis.h"
#include "net/breaker.h"
#include "net/loop.h"
#include "net/stream.h"

struct redisReader;  // NOLINT(readability-identifier-naming): hiredis'
struct redisReply;   // NOLINT(readability-identifier-naming)

namespace cistern::loader {

// Who hears of a link. Never called inside a call of the link's methods.
class RedisLinkOwner {
 public:
  // Connected, authenticated, the database selected.
  virtual void OnReady() = 0;
  // The connect failed or the connection ended, for this reason; pending replies have been told.
  virtual void OnLost(const std::string& reason) = 0;

 protected:
  ~RedisLinkOwner() = default;
};

// Used on its loop's thread. After Close() it may be destroyed on any.
class RedisLink final : net::StreamDelegate {
 public:
  enum class State : uint8_t { kIdle, kConnecting, kReady, kClosing };
  // The reply is valid during the call; or why there will be none.
  using Reply = tl::expected<const redisReply*, std::string>;
  using OnReply = std::function<void(const Reply&)>;

  // `options` and `owner` outlive the link.
  RedisLink(net::Loop& loop, const RedisOptions& options, RedisLinkOwner& owner);
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;
  ~RedisLink() override;

  State state() const { return state_; }
  // Commands without a reply yet.
  size_t pending() const { return pending_.size(); }
  // Idle, and not waiting after a connection that failed before it had answered a command.
  bool MayConnect() const;
  // Since when the server has been down: loads need not wait, neither for a connection (at most one
  // load does, to find out) nor for the time to make one. Nothing when they may.
  std::optional<cache::Instant> down_since() const;
  // REQUIRES: kIdle. Leads to OnReady or OnLost.
  void Connect();
  // REQUIRES: kReady. `on_reply` is called once, never inside this call unless by Close().
  void Send(std::span<const std::string_view> command, OnReply on_reply);
  // Drops the connection when it has been silent for the load's time though a reply is due: a peer
  // that is gone without a word would never be noticed otherwise. Also when the oldest reply is due
  // for twice that time: whoever comes later would wait behind it in vain.
  void DropIfLate();
  // Tells pending replies, and never the owner. For good.
  void Close();

 private:
  struct ReaderDeleter {
    void operator()(redisReader* reader) const;
  };
  struct Pending {
    OnReply on_reply;
    cache::Instant sent;
  };

  void OnOpen() override;
  void OnData(std::string_view bytes) override;
  void OnClosed(const net::CloseReason& reason) override;

  void HandshakeStep();
  void SendHandshake(std::span<const std::string_view> command, const char* what);
  void Write(std::span<const std::string_view> command, OnReply on_reply);
  void TakeReplies();
  void DropUnasked(const redisReply& reply);
  std::string ReaderError() const;
  bool HasEndlessLine() const;
  // Closes now; OnClosed then tells `reason`. What is only slow is no reason to wait before the
  // next connection.
  void Drop(std::string reason, bool is_slow = false);
  void FailPending(const std::string& reason);

  net::Loop& loop_;
  const RedisOptions& options_;
  RedisLinkOwner& owner_;
  State state_ = State::kIdle;
  bool is_proven_ = false;  // has answered a command since it connected
  bool is_slow_ = false;    // why it was dropped
  int handshake_step_ = 0;
  net::Loop::TimerId handshake_timer_ = 0;
  net::Breaker breaker_;
  cache::Instant quiet_since_;  // the last byte came, or the first unanswered command left
  size_t reply_bytes_ = 0;      // came since the last reply was whole
  std::string drop_reason_;     // ours; else the stream's
  std::deque<Pending> pending_;
  std::unique_ptr<redisReader, ReaderDeleter> reader_;
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace cistern::loader
