#include "loader/redis_link.h"

#include <hiredis/hiredis.h>

#include <cassert>
#include <utility>
#include <vector>

namespace cistern::loader {
namespace {

constexpr cache::Duration kFirstWait = std::chrono::milliseconds(20);
constexpr cache::Duration kLongestWait = std::chrono::seconds(1);

struct ReplyDeleter {
  void operator()(void* reply) const { freeReplyObject(reply); }
};

}  // namespace

void RedisLink::ReaderDeleter::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

RedisLink::RedisLink(net::Loop& loop, const RedisOptions& options, RedisLinkOwner& owner)
    : loop_(loop), options_(options), owner_(owner), backoff_(kFirstWait, kLongestWait) {}

RedisLink::~RedisLink() = default;

bool RedisLink::MayConnect() const {
  return state_ == State::kIdle && !stream_ && loop_.clock().Now() >= next_try_;
}

void RedisLink::Connect() {
  assert(state_ == State::kIdle && !stream_);
  state_ = State::kConnecting;
  drop_reason_.clear();
  is_proven_ = false;
  handshake_step_ = 0;
  reader_.reset(redisReaderCreate());
  net::StreamDelegate& delegate = *this;
  stream_ = std::make_unique<net::Stream>(loop_, delegate);
  stream_->Connect(options_.address, options_.connect_timeout);
  // One time for all: a server that accepts but never answers AUTH is no better than none.
  handshake_timer_ = loop_.After(options_.connect_timeout,
                                 [this] { Drop("no answer to the first commands in time"); });
}

void RedisLink::OnOpen() {
  HandshakeStep();
}

// A step returns after its command was sent; its reply comes back here for the next one.
void RedisLink::HandshakeStep() {
  const int step = handshake_step_++;
  if (step == 0 && !options_.password.empty()) {
    std::vector<std::string_view> command{"AUTH"};
    if (!options_.user.empty()) command.emplace_back(options_.user);
    command.emplace_back(options_.password);
    return SendHandshake(command, "authentication failed: ");
  }
  if (step <= 1 && options_.database != 0) {
    handshake_step_ = 2;
    const std::string database = std::to_string(options_.database);
    const std::string_view command[] = {"SELECT", database};
    return SendHandshake(command, "cannot select the database: ");
  }
  loop_.Cancel(std::exchange(handshake_timer_, 0));
  state_ = State::kReady;
  owner_.OnReady();
}

void RedisLink::SendHandshake(std::span<const std::string_view> command, const char* what) {
  Write(command, [this, what](const Reply& reply) {
    if (!reply) return;  // OnClosed tells
    if ((*reply)->type == REDIS_REPLY_ERROR) {
      Drop(what + std::string((*reply)->str, (*reply)->len));
    } else {
      HandshakeStep();
    }
  });
}

void RedisLink::Send(std::span<const std::string_view> command, OnReply on_reply) {
  assert(state_ == State::kReady);
  Write(command, std::move(on_reply));
}

void RedisLink::Write(std::span<const std::string_view> command, OnReply on_reply) {
  std::vector<const char*> arguments;
  std::vector<size_t> sizes;
  for (const std::string_view argument : command) {
    arguments.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  sds text = nullptr;
  const int size = redisFormatSdsCommandArgv(&text, static_cast<int>(arguments.size()),
                                             arguments.data(), sizes.data());
  if (pending_.empty()) quiet_since_ = loop_.clock().Now();
  pending_.push_back(std::move(on_reply));
  if (size < 0) return Drop("out of memory");
  stream_->Write(std::string_view(text, static_cast<size_t>(size)));
  redisFreeSdsCommand(text);
}

void RedisLink::OnData(std::string_view bytes) {
  quiet_since_ = loop_.clock().Now();
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
    return Drop(std::string("protocol error: ") + reader_->errstr);
  TakeReplies();
}

void RedisLink::TakeReplies() {
  while (stream_ && !stream_->is_closing()) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK)
      return Drop(std::string("protocol error: ") + reader_->errstr);
    if (raw == nullptr) return;
    const std::unique_ptr<void, ReplyDeleter> reply(raw);
    if (pending_.empty()) return DropUnasked(*static_cast<const redisReply*>(raw));
    if (state_ == State::kReady && !std::exchange(is_proven_, true)) backoff_.Reset();
    const OnReply on_reply = std::move(pending_.front());
    pending_.pop_front();
    on_reply(static_cast<const redisReply*>(raw));
  }
}

// How Redis says that it has too many clients, for one.
void RedisLink::DropUnasked(const redisReply& reply) {
  Drop(reply.type == REDIS_REPLY_ERROR ? std::string(reply.str, reply.len)
                                       : "a reply that nobody asked for");
}

void RedisLink::DropIfSilent() {
  if (state_ != State::kReady || pending_.empty()) return;
  // The command left a little after its load's time began: three quarters are enough.
  if (loop_.clock().Now() - quiet_since_ < options_.timeout * 3 / 4) return;
  Drop("the connection has gone silent");
}

void RedisLink::Drop(std::string reason) {
  if (!stream_ || stream_->is_closing()) return;
  drop_reason_ = std::move(reason);
  state_ = State::kClosing;
  stream_->Close();
}

void RedisLink::OnClosed(const net::CloseReason& reason) {
  const std::string text = drop_reason_.empty() ? reason.text : drop_reason_;
  loop_.Cancel(std::exchange(handshake_timer_, 0));
  // A connection that was good is made again at once; one that never was, after a wait.
  if (!is_proven_) next_try_ = loop_.clock().Now() + backoff_.Next();
  state_ = State::kIdle;
  stream_.reset();
  FailPending(text);
  owner_.OnLost(text);
}

void RedisLink::FailPending(const std::string& reason) {
  for (const OnReply& on_reply : std::exchange(pending_, {}))
    on_reply(tl::unexpected(reason));
}

void RedisLink::Close() {
  loop_.Cancel(std::exchange(handshake_timer_, 0));
  state_ = State::kIdle;
  stream_.reset();
  FailPending("closed");
}

}  // namespace cistern::loader
