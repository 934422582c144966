#include "cluster/peer_session.h"

#include <algorithm>
#include <utility>

#include "cache/mutant.h"

namespace cistern::cluster {
namespace {

// Values that share a frame; the next one opens another.
constexpr size_t kFrameValueBytes = size_t{256} << 10;
// A stranger's hello: as long as one with our own list of members, and some more of them.
constexpr size_t kHelloBytes = size_t{4} << 10;
constexpr size_t kMemberBytes = 640;
constexpr size_t kMoreMembers = 16;
// A request without a sensible deadline gets this one.
constexpr uint64_t kLongestMillis = 3'600'000;
// The asker pings every quarter of `dead_after`: after this many of them unheard it is gone.
constexpr int kSilentDeadlines = 10;
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

std::shared_ptr<PeerSession> PeerSession::Make(net::Loop& loop, const Context& context,
                                               Owner& owner) {
  return std::shared_ptr<PeerSession>(new PeerSession(loop, context, owner));
}

PeerSession::PeerSession(net::Loop& loop, const Context& context, Owner& owner)
    : loop_(loop),
      context_(context),
      owner_(owner),
      channel_(loop, context.service.budget(), *this),
      handshake_(context.self, context.secret),
      silence_(kSilentDeadlines * context.dead_after) {
  channel_.LimitStranger(kHelloBytes + kMemberBytes * (context.self.members.size() + kMoreMembers));
}

PeerSession::~PeerSession() {
  loop_.Cancel(timer_);
}

net::Result<void> PeerSession::Start(int fd) {
  auto adopted = channel_.Adopt(fd, net::TlsSource::CurrentOf(context_.tls));
  if (!adopted) return adopted;
  timer_ = loop_.After(context_.dead_after, [this] { Refuse("no hello in time"); });
  return {};
}

wire::Frame PeerSession::NewFrame(uint64_t id) const {
  wire::Frame frame;
  frame.set_id(id);
  frame.set_epoch(context_.self.epoch);
  return frame;
}

void PeerSession::OnFrame(wire::Frame& frame) {
  const auto self = shared_from_this();
  if (state_ == State::kClosed) return;
  if (state_ == State::kHello) return OnHello(frame);
  if (state_ == State::kProof) return OnProof(frame);
  switch (frame.body_case()) {
    case wire::Frame::kPing: {
      wire::Frame echo = NewFrame(frame.id());
      echo.mutable_echo()->set_token(frame.ping().token());
      return channel_.SendAhead(echo);
    }
    case wire::Frame::kGet:
      return OnGet(frame);
    case wire::Frame::kInvalidate:
      return OnInvalidate(frame);
    case wire::Frame::kCommand:
      return OnCommand(frame);
    case wire::Frame::kGoodbye:
      return;
    case wire::Frame::kRefusal:
      return Refuse("refused: " + TextOf(frame.refusal()));
    default:
      break;
  }
  if (frame.id() == 0) return;
  wire::Frame unknown = NewFrame(frame.id());
  unknown.mutable_unknown_op();
  channel_.Send(std::move(unknown));
}

void PeerSession::OnHello(const wire::Frame& frame) {
  if (!frame.has_hello()) return Refuse("it did not say hello");
  auto reply = handshake_.OnHello(frame.hello());
  if (!reply) return Refuse(reply.error());
  wire::Frame answer = NewFrame(0);
  *answer.mutable_hello_reply() = std::move(*reply);
  channel_.SendAhead(answer);
  state_ = State::kProof;
}

void PeerSession::OnProof(const wire::Frame& frame) {
  if (frame.has_refusal()) return Refuse("refused: " + TextOf(frame.refusal()));
  if (!frame.has_hello_proof()) return Refuse("it did not prove itself");
  wire::Frame answer = NewFrame(0);
  auto peer = handshake_.OnProof(frame.hello_proof(), *answer.mutable_welcome());
  if (!peer) return Refuse(peer.error());
  peer_ = std::move(*peer);
  state_ = State::kUp;
  channel_.Trust();
  node_ = owner_.OnPeerHeard(peer_);
  channel_.SendAhead(answer);
  WatchSilence();
}

void PeerSession::WatchSilence() {
  loop_.Cancel(timer_);
  timer_ = loop_.After(silence_, [this] {
    const cache::Duration silent = loop_.clock().Now() - channel_.last_heard();
    if (silent >= silence_ && !channel_.is_paused()) {
      refused_ = "nothing heard of it";
      return channel_.Close();
    }
    WatchSilence();
  });
}

void PeerSession::SayGoodbye() {
  if (state_ != State::kUp) return Refuse("this node is stopping");
  wire::Frame frame = NewFrame(0);
  frame.mutable_goodbye();
  channel_.Send(std::move(frame));
  silence_ = context_.dead_after;
  WatchSilence();
}

void PeerSession::OnGet(wire::Frame& frame) {
  const uint64_t id = frame.id();
  const cache::Instant now = loop_.clock().Now();
  for (int i = 0; i < frame.get().items_size(); ++i) {
    wire::GetItem& item = *frame.mutable_get()->mutable_items(i);
    const auto index = static_cast<uint32_t>(i);
    if (item.mode() != wire::MODE_LOAD) {
      OnGetDone(id, index, tl::unexpected(NotUnderstood(context_.self.name)));
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
    *answer.mutable_invalidate_reply()->mutable_error() = ToWire(NotUnderstood(context_.self.name));
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

void PeerSession::Refuse(std::string reason) {
  wire::Frame frame = NewFrame(0);
  frame.mutable_refusal()->set_text(reason);
  refused_ = std::move(reason);
  state_ = State::kClosed;
  channel_.SendAhead(frame);
  channel_.CloseWhenSent();
}

void PeerSession::OnChannelClosed(const std::string& reason) {
  state_ = State::kClosed;
  owner_.OnSessionClosed(*this, peer_.name, refused_.empty() ? reason : refused_);
}

}  // namespace cistern::cluster
