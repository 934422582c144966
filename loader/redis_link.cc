#include "loader/redis_link.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "loader/redis_reply.h"

namespace cistern::loader {
namespace {

constexpr cache::Duration kFirstWait = std::chrono::milliseconds(20);
constexpr cache::Duration kLongestWait = std::chrono::seconds(1);
constexpr size_t kMaxLineBytes = size_t{64} << 10;
constexpr size_t kMaxLengthBytes = 24;  // of a bulk string: its digits

struct ReplyDeleter {
  void operator()(void* reply) const { freeReplyObject(reply); }
};

// As hiredis would, but for arrays that nobody asks for. It allocates what a header declares, and
// walks all of it to free it again: 14 bytes would cost 16 GiB and seconds.
void* CreateArray(const redisReadTask* task, int elements) {
  const auto* options = static_cast<const RedisOptions*>(task->privdata);
  if (task->parent != nullptr || elements > std::max(options->batch, 1)) return nullptr;
  return HiredisFunctions().createArray(task, elements);
}

redisReader* MakeReader(const RedisOptions& options) {
  static redisReplyObjectFunctions functions = [] {
    redisReplyObjectFunctions changed = HiredisFunctions();
    changed.createArray = CreateArray;
    return changed;
  }();
  redisReader* reader = redisReaderCreateWithFunctions(&functions);
  reader->privdata = const_cast<RedisOptions*>(&options);
  return reader;
}

}  // namespace

void RedisLink::ReaderDeleter::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

RedisLink::RedisLink(net::Loop& loop, const RedisOptions& options, RedisLinkOwner& owner)
    : loop_(loop), options_(options), owner_(owner), breaker_({kFirstWait, kLongestWait}) {}

RedisLink::~RedisLink() = default;

bool RedisLink::MayConnect() const {
  return state_ == State::kIdle && !stream_ && breaker_.MayTry(loop_.clock().Now());
}

std::optional<cache::Instant> RedisLink::down_since() const {
  if (!breaker_.is_down() || state_ == State::kReady || MayConnect()) return std::nullopt;
  return breaker_.down_since();
}

void RedisLink::Connect() {
  assert(state_ == State::kIdle && !stream_);
  state_ = State::kConnecting;
  drop_reason_.clear();
  is_proven_ = is_slow_ = false;
  breaker_.Begin();
  handshake_step_ = 0;
  reply_bytes_ = 0;
  reader_.reset(MakeReader(options_));
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
      Drop(what + ErrorText(**reply));
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
  const cache::Instant now = loop_.clock().Now();
  if (pending_.empty()) quiet_since_ = now;
  pending_.push_back({std::move(on_reply), now});
  if (size < 0) return Drop("out of memory");
  stream_->Write(std::string_view(text, static_cast<size_t>(size)));
  redisFreeSdsCommand(text);
}

void RedisLink::OnData(std::string_view bytes) {
  quiet_since_ = loop_.clock().Now();
  reply_bytes_ += bytes.size();
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
    return Drop(ReaderError());
  TakeReplies();
  if (HasEndlessLine()) {
    Drop("protocol error: a line without end");
  } else if (reply_bytes_ > options_.max_reply) {
    Drop("a reply above " + std::to_string(options_.max_reply) + " bytes (backend.max_reply)");
  }
}

void RedisLink::TakeReplies() {
  while (stream_ && !stream_->is_closing()) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) return Drop(ReaderError());
    if (raw == nullptr) return;
    reply_bytes_ = reader_->len - reader_->pos;
    const std::unique_ptr<void, ReplyDeleter> reply(raw);
    if (pending_.empty()) return DropUnasked(*static_cast<const redisReply*>(raw));
    if (state_ == State::kReady && !std::exchange(is_proven_, true)) breaker_.Succeeded();
    const OnReply on_reply = std::move(pending_.front().on_reply);
    pending_.pop_front();
    on_reply(static_cast<const redisReply*>(raw));
  }
}

// How Redis says that it has too many clients, for one.
void RedisLink::DropUnasked(const redisReply& reply) {
  Drop(reply.type == REDIS_REPLY_ERROR ? ErrorText(reply) : "a reply that nobody asked for");
}

// hiredis looks for a line's end from its beginning whenever bytes come.
bool RedisLink::HasEndlessLine() const {
  const size_t rest = reader_->len - reader_->pos;
  if (rest <= kMaxLineBytes || reader_->ridx < 0) return false;
  const bool is_bulk = reader_->rstack[reader_->ridx].type == REDIS_REPLY_STRING;
  const std::string_view length(reader_->buf + reader_->pos, kMaxLengthBytes);
  return !is_bulk || length.find('\r') == std::string_view::npos;
}

// hiredis knows one reason for an array that could not be made.
std::string RedisLink::ReaderError() const {
  if (reader_->err == REDIS_ERR_OOM) return "protocol error: an array that nobody asked for";
  return std::string("protocol error: ") + Printable(reader_->errstr);
}

void RedisLink::DropIfLate() {
  if (state_ != State::kReady || pending_.empty()) return;
  const cache::Instant now = loop_.clock().Now();
  // The command left a little after its load's time began: three quarters are enough.
  if (now - quiet_since_ >= options_.timeout * 3 / 4) {
    Drop("the connection has gone silent", true);
  } else if (now - pending_.front().sent >= options_.timeout * 2) {
    Drop("a reply does not come to its end", true);
  }
}

void RedisLink::Drop(std::string reason, bool is_slow) {
  if (!stream_ || stream_->is_closing()) return;
  is_slow_ = is_slow;
  drop_reason_ = std::move(reason);
  state_ = State::kClosing;
  stream_->Close();
}

void RedisLink::OnClosed(const net::CloseReason& reason) {
  const std::string text = drop_reason_.empty() ? reason.text : drop_reason_;
  loop_.Cancel(std::exchange(handshake_timer_, 0));
  // A connection that was good is made again at once; one that never was, after a wait.
  if (is_proven_ || is_slow_) {
    breaker_.GivenUp();
  } else {
    breaker_.Failed(loop_.clock().Now());
  }
  state_ = State::kIdle;
  stream_.reset();
  FailPending(text);
  owner_.OnLost(text);
}

void RedisLink::FailPending(const std::string& reason) {
  for (const Pending& pending : std::exchange(pending_, {}))
    pending.on_reply(tl::unexpected(reason));
}

void RedisLink::Close() {
  loop_.Cancel(std::exchange(handshake_timer_, 0));
  state_ = State::kIdle;
  stream_.reset();
  FailPending("closed");
}

}  // namespace cistern::loader
