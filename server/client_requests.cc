// How requests are executed: in order, but for those that wait for another one of their keys.
#include <algorithm>
#include <cassert>

#include "cache/mutant.h"
#include "cache/recycler.h"
#include "server/client_connection.h"
#include "server/error_texts.h"
#include "server/worker.h"

namespace cistern::server {
namespace {

// A request of a million keys does not keep its memory for ever.
constexpr size_t kKeptHashes = size_t{64} * 1024;

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// A browser that was made to talk to us: nothing behind these lines may be executed.
bool IsHttp(std::string_view name) {
  return EqualsIgnoringCase(name, "post") || EqualsIgnoringCase(name, "host:");
}

// Valid until the next call.
std::span<const uint64_t> HashesOf(std::span<const cache::Key> keys) {
  thread_local std::vector<uint64_t> hashes;
  if (hashes.capacity() > kKeptHashes) std::vector<uint64_t>().swap(hashes);
  hashes.resize(keys.size());
  std::transform(keys.begin(), keys.end(), hashes.begin(),
                 [](const auto& key) { return key.hash; });
  return hashes;
}

bool HasLongKey(std::span<const cache::Key> keys, size_t limit) {
  return std::any_of(keys.begin(), keys.end(),
                     [limit](const cache::Key& key) { return key.bytes.size() > limit; });
}

// What a write copies at least.
size_t SizeOf(std::span<const std::string_view> args) {
  size_t size = 0;
  for (const std::string_view arg : args)
    size += arg.size();
  return size;
}

}  // namespace

PendingReplyPtr Call::Pend() {
  return connection_.Pend(*this);
}

void Call::CloseAfterReply() {
  connection_.close_after_reply_ = true;
}

void ClientConnection::ConsumeRest() {
  rest_.Drop(Consume(rest_.view()));
}

void ClientConnection::Prepare(std::string_view bytes, RequestBatch& batch) {
  // Before authentication the parser's limits may change with each request.
  const size_t most = state_.authenticated ? RequestBatch::kMost : 1;
  batch.Fill(parser_, bytes, most, worker_.commands());
  batch.LookAhead(worker_.cache().store());
}

// Executes what it may of `input`, and returns how much of it is done with.
size_t ClientConnection::Consume(std::string_view input, RequestBatch* prepared) {
  using Status = resp::RequestParser::Status;
  if (turn_ != worker_.loop().turn()) {
    turn_ = worker_.loop().turn();
    turn_commands_ = turn_output_ = 0;
  }
  turn_allowance_ = worker_.TurnAllowance();
  const size_t before = turn_commands_;
  queued_ = stream_.queued_bytes();
  RequestBatch& batch = prepared != nullptr ? *prepared : worker_.batch_;
  size_t used = 0;
  bool is_whole = true;
  while (MayRun()) {
    if (std::exchange(prepared, nullptr) == nullptr) {
      Prepare(input.substr(used), batch);
      batch.ahead().ToEntries(worker_.cache().store());
      batch.ahead().ToBlobs(worker_.cache().store());
    }
    const size_t done = ExecuteBatch(batch);
    used += done;
    if (done < batch.consumed()) break;
    is_whole = batch.status() != Status::kIncomplete;
    if (!is_whole) break;
    if (batch.status() == Status::kError && !close_after_reply_) FailProtocol();
  }
  if (prepared != nullptr) parser_.Rewind();  // nothing of it may run now
  worker_.turn_commands_ += turn_commands_ - before;
  more_ = is_whole && used < input.size() && !close_after_reply_;
  return used;
}

size_t ClientConnection::ExecuteBatch(const RequestBatch& batch) {
  std::span<const Request> left = batch.requests();
  size_t done = 0;
  while (!left.empty()) {
    // The parser has seen more than may be executed now.
    if (!MayRun() || MustPause(left.front())) {
      parser_.Rewind();
      return done;
    }
    size_t executed = AnswerHits(batch, left);
    if (executed == 0) {
      Execute(batch, left.front());
      executed = 1;
    }
    done = left[executed - 1].end;
    left = left.subspan(executed);
  }
  return batch.consumed();
}

// The shortest way, for what clients do most: of reads of one key as many as are hits, from the
// front. Whatever asks for more than a look into the store is left to Execute().
size_t ClientConnection::AnswerHits(const RequestBatch& batch, std::span<const Request> requests) {
  if (!queue_.empty() || state_.reply_mode != ReplyMode::kOn || !state_.authenticated) return 0;
  const size_t most = std::min(requests.size(), turn_allowance_ - turn_commands_);
  const size_t most_output = std::min(kTurnOutput, worker_.high_water());
  const size_t longest = worker_.config().server.max_key;
  Output& output = worker_.scratch_;
  Reply reply(output, state_.protocol);
  size_t bytes = output.bytes();
  size_t hits = 0;
  for (; hits < most && turn_output_ < most_output; ++hits) {
    const Request& request = requests[hits];
    if (!request.fits || request.command->found == nullptr) break;
    const cache::Key& key = batch.keys(request).front();
    if (key.bytes.size() > longest || worker_.HoldsBack(*request.command)) break;
    const auto write = [&](const cache::Found& found) { request.command->found(reply, found); };
    if (!worker_.cache().FindOne(worker_.loop(), key, now_, write, state_.touches)) break;
    const size_t grown = output.bytes() - bytes;
    bytes += grown;
    turn_output_ += grown;
    largest_reply_ = std::max(largest_reply_, grown);
  }
  if (hits == 0) return 0;
  turn_commands_ += hits;
  worker_.stats_.commands.Add(hits);
  state_.last_command = requests[hits - 1].command;
  return hits;
}

bool ClientConnection::MustPause(const Request& request) {
  if (!request.fits || !worker_.HoldsBack(*request.command)) return false;
  is_paused_ = true;
  return true;
}

bool ClientConnection::MayRun() const {
  return turn_commands_ < turn_allowance_ &&
         turn_output_ < std::min(kTurnOutput, worker_.high_water()) && !close_after_reply_ &&
         !is_paused_ && !is_blocked() && !stream_.is_closing();
}

void ClientConnection::Execute(const RequestBatch& batch, const Request& request) {
  ++turn_commands_;
  worker_.stats_.commands.Add();
  if (request.command == nullptr && IsHttp(batch.args(request)[0])) {
    Close();
    return;
  }
  const bool is_held = !queue_.empty();
  Output& output = is_held ? queue_.tail() : worker_.scratch_;
  const Output::Mark start = output.mark();
  const size_t places = queue_.places();
  ReplyMode& mode = state_.reply_mode;
  if (mode == ReplyMode::kSkipNext) mode = ReplyMode::kSkip;
  Begin(batch, request, output);
  if (mode != ReplyMode::kOn) DropUnwanted(output, start, queue_.places() > places);
  const size_t grown = output.bytes() - start.bytes();
  if (is_held) queue_.TailGrew(grown);
  turn_output_ += grown;
  largest_reply_ = std::max(largest_reply_, grown);
}

// What the request has just replied, or will, if the client wants no reply to it.
void ClientConnection::DropUnwanted(Output& output, const Output::Mark& start, bool is_pending) {
  if (state_.reply_mode == ReplyMode::kSkipNext) return;  // was said by the request itself
  if (is_pending) {
    queue_.SilenceLast();
  } else {
    output.CutTo(start);
  }
  if (state_.reply_mode == ReplyMode::kSkip) state_.reply_mode = ReplyMode::kOn;
}

void ClientConnection::Begin(const RequestBatch& batch, const Request& request, Output& output) {
  const std::span<const std::string_view> args = batch.args(request);
  const std::span<const cache::Key> keys = batch.keys(request);
  Reply reply(output, state_.protocol);
  if (Refuse(request, args, keys, reply)) {
    worker_.stats_.error_replies.Add();
    return;
  }
  const Command& command = *request.command;
  state_.last_command = &command;
  const cache::Instant deadline = now_ + worker_.config().server.request_timeout;
  if (command.access != Access::kNone && !order_.empty() &&
      order_.MustWait(HashesOf(keys), command.access)) {
    const PendingReplyPtr place = TakePlace(command, keys, state_.protocol);
    place->waiting_ = std::make_unique<WaitingRequest>(command, args, deadline);
    waiting_bytes_ += place->waiting_->memory();
    return;
  }
  Call call(*this, state_, worker_, reply);
  call.command_ = &command;
  call.args_ = args;
  call.keys_ = keys;
  call.now_ = now_;
  call.deadline_ = deadline;
  command.handler(call);
  if (parser_.limits().authenticated != state_.authenticated) SyncAuthentication();
}

bool ClientConnection::Refuse(const Request& request, std::span<const std::string_view> args,
                              std::span<const cache::Key> keys, Reply& reply) const {
  if (request.command == nullptr) {
    reply.Error(error_texts::UnknownCommand(args));
  } else if (!request.fits) {
    reply.Error(error_texts::WrongArity(request.command->name));
  } else if (!state_.authenticated && (request.command->flags & kFlagNoAuth) == 0) {
    reply.Error(error_texts::kNoAuth);
  } else if (const size_t most = worker_.config().server.max_key; HasLongKey(keys, most)) {
    reply.Error(error_texts::KeyTooLong(most));
  } else if ((request.command->flags & kFlagDenyOom) != 0 && !worker_.HasRoom(SizeOf(args))) {
    reply.Error(error_texts::kOutOfMemory);
  } else {
    return false;
  }
  return true;
}

PendingReplyPtr ClientConnection::Pend(Call& call) {
  assert(!call.is_pended_);
  call.is_pended_ = true;
  if (call.place_ == nullptr)
    call.place_ = TakePlace(*call.command_, call.keys_, call.reply_.protocol());
  return call.place_;
}

PendingReplyPtr ClientConnection::TakePlace(const Command& command,
                                            std::span<const cache::Key> keys,
                                            resp::Protocol protocol) {
  PendingReply::Owner& owner = *this;
  auto reply = std::allocate_shared<PendingReply>(cache::Recycler<PendingReply>(), owner, protocol);
  queue_.Push(reply);
  if (command.access != Access::kNone && !IsMutant(Mutant::kNoOrder))
    order_.Add(*reply, HashesOf(keys), command.access);
  return reply;
}

// Only notes it: what follows runs at the turn's end, not inside whoever finished the reply.
void ClientConnection::OnFinished(PendingReply& reply) {
  largest_reply_ = std::max(largest_reply_, reply.output_.bytes());
  queue_.Finished(reply);
  order_.Remove(reply, ready_);
  worker_.FlushAtTurnEnd(*this);
}

void ClientConnection::RunReady() {
  if (ready_.empty()) return;
  now_ = worker_.loop().clock().Now();  // a lease must hold now, not when they arrived
  std::vector<KeyOrder::Ticket*> ready;
  while (!ready_.empty() && !stream_.is_closing()) {
    ready.clear();
    ready.swap(ready_);
    for (KeyOrder::Ticket* ticket : ready)
      RunWaiting(static_cast<PendingReply&>(*ticket));
  }
}

void ClientConnection::RunWaiting(PendingReply& reply) {
  const PendingReplyPtr place = reply.shared_from_this();
  const std::unique_ptr<WaitingRequest> waiting = std::move(place->waiting_);
  waiting_bytes_ -= waiting->memory();
  std::vector<cache::Key> keys;
  ForEachKey(*waiting->command, waiting->args.size(),
             [&](size_t i) { keys.push_back(cache::Key::Of(waiting->args[i])); });
  Call call(*this, state_, worker_, place->reply_);
  call.command_ = waiting->command;
  call.args_ = waiting->args;
  call.keys_ = keys;
  call.now_ = now_;
  call.deadline_ = waiting->deadline;
  call.place_ = place;
  waiting->command->handler(call);
  if (!call.is_pended_) place->Finish();
}

void ClientConnection::FailProtocol() {
  worker_.stats_.protocol_errors.Add();
  close_after_reply_ = true;
  if (state_.reply_mode == ReplyMode::kOff) return;
  Output& output = queue_.empty() ? worker_.scratch_ : queue_.tail();
  const size_t before = output.bytes();
  Reply(output, state_.protocol).Error("ERR " + parser_.error().Text());
  if (!queue_.empty()) queue_.TailGrew(output.bytes() - before);
}

// When a request has changed it.
void ClientConnection::SyncAuthentication() {
  if (state_.authenticated && !std::exchange(was_authenticated_, true))
    worker_.unauthenticated_.Remove(state_.id);
  resp::Limits limits = parser_.limits();
  limits.authenticated = state_.authenticated;
  parser_.set_limits(limits);
}

}  // namespace cistern::server
