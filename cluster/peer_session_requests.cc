// What a peer asks for, and the answers.
#include <algorithm>
#include <utility>

#include "cache/mutant.h"
#include "cluster/peer_session.h"

namespace cistern::cluster {
namespace {

// Values that share a frame; the next one opens another.
constexpr size_t kFrameValueBytes = size_t{256} << 10;
// A request without a sensible deadline gets this one.
constexpr uint64_t kLongestMillis = 3'600'000;
constexpr auto kDropLate = std::chrono::milliseconds(20);  // a mutant's

std::vector<std::string> TakeKeys(wire::Invalidate& message) {
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(message.keys_size()));
  for (std::string& key : *message.mutable_keys())
    keys.push_back(std::move(key));
  return keys;
}

cache::Wish WishFromWire(wire::Wish wish) {
  return wish == wire::WISH_LEASE ? cache::Wish::kLease : cache::Wish::kNone;
}

}  // namespace

void PeerSession::OnGet(wire::Frame& frame) {
  const uint64_t id = frame.id();
  const cache::Instant now = loop_.clock().Now();
  for (int i = 0; i < frame.get().items_size(); ++i) {
    wire::GetItem& item = *frame.mutable_get()->mutable_items(i);
    const auto index = static_cast<uint32_t>(i);
    if (item.mode() != wire::MODE_LOAD) {
      OnGetDone(id, index, tl::unexpected(NotUnderstood(context_.self.name())));
      continue;
    }
    const auto left = std::chrono::milliseconds(std::min(item.left_ms(), kLongestMillis));
    auto done = cache::Completion<cache::Result<cache::PeerReply>>::Make(
        loop_,
        [weak = weak_from_this(), id, index](const cache::Result<cache::PeerReply>& reply) {
          if (auto self = weak.lock()) self->OnGetDone(id, index, reply);
        },
        left, [left] { return tl::unexpected(cache::errors::Timeout(left)); });
    PeerGetRequest request;
    request.key = std::move(*item.mutable_key());
    request.from = node_;
    request.incarnation = peer_.incarnation;
    request.epoch = frame.epoch();
    request.wish = WishFromWire(item.wish());
    request.deadline = now + left;
    context_.service.Get(loop_, std::move(request), std::move(done));
  }
}

void PeerSession::OnGetDone(uint64_t id, uint32_t index,
                            const cache::Result<cache::PeerReply>& reply) {
  if (state_ != State::kUp) return;
  if (answers_.empty()) {
    loop_.AtTurnEnd([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->SendGetReplies();
    });
  }
  Answer answer;
  answer.large = ToWire(reply, answer.item);
  answer.item.set_index(index);
  answers_[id].push_back(std::move(answer));
}

void PeerSession::SendGetReplies() {
  for (auto& [id, answers] : std::exchange(answers_, {})) {
    wire::Frame frame = NewFrame(id);
    size_t bytes = 0;
    for (Answer& answer : answers) {
      bytes += answer.item.value().size() + answer.item.version().size();
      *frame.mutable_get_reply()->add_items() = std::move(answer.item);
      // A large value has a frame to itself: the others do not wait for its chunks.
      if (answer.large == nullptr && bytes < kFrameValueBytes) continue;
      std::vector<LargeField> large;
      if (answer.large != nullptr) {
        auto& items = *frame.mutable_get_reply()->mutable_items();
        wire::Frame whole = NewFrame(id);
        *whole.mutable_get_reply()->add_items() = std::move(*items.rbegin());
        items.RemoveLast();
        channel_.Send(std::move(whole), {{0, std::move(answer.large)}});
        continue;
      }
      channel_.Send(std::exchange(frame, NewFrame(id)));
      bytes = 0;
    }
    if (frame.get_reply().items_size() > 0) channel_.Send(std::move(frame));
  }
}

void PeerSession::OnInvalidate(wire::Frame& frame) {
  wire::Invalidate& message = *frame.mutable_invalidate();
  const uint64_t id = frame.id();
  if (message.selector() == wire::SELECTOR_KEYS && message.role() == wire::ROLE_AT_OWNER)
    return InvalidateAtOwner(id, TakeKeys(message));
  const bool is_main = message.role() == wire::ROLE_AT_OWNER;
  if (is_main || message.role() == wire::ROLE_COPIES) {
    if (const auto scope = ScopeFromWire(message))
      return Purge(id, *scope, is_main ? cache::PurgeRound::kMain : cache::PurgeRound::kCopies);
  }
  wire::Frame answer = NewFrame(id);
  if (message.selector() == wire::SELECTOR_KEYS && message.role() == wire::ROLE_COPIES) {
    const auto drop = [&service = context_.service, keys = TakeKeys(message),
                       sequence = message.sequence(), from = node_] {
      for (const std::string& key : keys)
        service.DropCopies({key, sequence}, from);
    };
    if (IsMutant(Mutant::kAcknowledgeBeforeDrop)) {
      loop_.After(kDropLate, drop);
    } else {
      drop();
    }
    answer.mutable_invalidate_reply()->set_done(true);
  } else {
    // Done in part it would be a promise broken: so not at all.
    *answer.mutable_invalidate_reply()->mutable_error() =
        ToWire(NotUnderstood(context_.self.name()));
  }
  channel_.Send(std::move(answer));
}

void PeerSession::Purge(uint64_t id, const cache::PurgeScope& scope, cache::PurgeRound round) {
  context_.service.Purge(
      loop_, scope, round,
      cache::Completion<cache::Result<bool>>::Make(
          loop_, [weak = weak_from_this(), id](const cache::Result<bool>& result) {
            const auto self = weak.lock();
            if (self == nullptr || self->state_ != State::kUp) return;
            wire::Frame answer = self->NewFrame(id);
            answer.mutable_invalidate_reply()->set_done(result.has_value());
            if (!result)
              *answer.mutable_invalidate_reply()->mutable_error() = ToWire(result.error());
            self->channel_.Send(std::move(answer));
          }));
}

void PeerSession::InvalidateAtOwner(uint64_t id, std::vector<std::string> keys) {
  context_.service.Invalidate(
      loop_, std::move(keys),
      cache::Completion<cache::Result<int64_t>>::Make(
          loop_, [weak = weak_from_this(), id](const cache::Result<int64_t>& count) {
            const auto self = weak.lock();
            if (self == nullptr || self->state_ != State::kUp) return;
            wire::Frame answer = self->NewFrame(id);
            wire::InvalidateReply& reply = *answer.mutable_invalidate_reply();
            reply.set_done(count.has_value());
            if (count) {
              reply.set_count(*count);
            } else {
              *reply.mutable_error() = ToWire(count.error());
            }
            self->channel_.Send(std::move(answer));
          }));
}

void PeerSession::OnCommand(wire::Frame& frame) {
  const uint64_t id = frame.id();
  std::vector<std::string> args;
  for (std::string& arg : *frame.mutable_command()->mutable_args())
    args.push_back(std::move(arg));
  context_.commands.Run(
      loop_, std::move(args),
      cache::Completion<cache::Result<CommandReply>>::Make(
          loop_, [weak = weak_from_this(), id](const cache::Result<CommandReply>& reply) {
            const auto self = weak.lock();
            if (self == nullptr || self->state_ != State::kUp) return;
            wire::Frame answer = self->NewFrame(id);
            cache::BlobPtr large = ToWire(reply, *answer.mutable_command_reply());
            std::vector<LargeField> fields;
            if (large != nullptr) fields.push_back({0, std::move(large)});
            self->channel_.Send(std::move(answer), fields);
          }));
}

}  // namespace cistern::cluster
