#include "cluster/peer_link.h"

#include <algorithm>
#include <utility>

namespace cistern::cluster {
namespace {

namespace errors = cache::errors;

// A peer that is back is asked again soon; one that stays away costs four tries a second.
constexpr cache::Duration kFirstRetry = std::chrono::milliseconds(10);
constexpr cache::Duration kLastRetry = std::chrono::milliseconds(250);
// Ticks within `dead_after`: how often a ping is sent and silence is judged.
constexpr int kTicks = 4;

}  // namespace

PeerLink::PeerLink(net::Loop& loop, Config config, const Self& self, std::string_view secret,
                   cache::Budget& budget, Observer& observer)
    : loop_(loop),
      config_(std::move(config)),
      self_(self),
      secret_(secret),
      budget_(budget),
      observer_(observer),
      requests_(config_.node, budget),
      backoff_(kFirstRetry, kLastRetry),
      alive_(std::make_shared<const int>(0)) {}

PeerLink::~PeerLink() {
  if (timer_ != 0) loop_.Cancel(timer_);
}

void PeerLink::Start() {
  if (state_ == State::kStopped) Connect();
}

void PeerLink::Stop() {
  state_ = State::kStopped;
  unreachable_ = true;
  loop_.Cancel(std::exchange(timer_, 0));
  channel_.reset();
  requests_.LoseSent();
  requests_.RefuseUnsent(errors::Shutdown());
}

void PeerLink::Fetch(std::shared_ptr<cache::PeerFetch> fetch) {
  requests_.Add(std::move(fetch));
  Asked();
}

void PeerLink::Notify(cache::Incarnation incarnation, cache::Notice notice,
                      cache::CompletionPtr<bool> acknowledged) {
  requests_.Add(incarnation, std::move(notice), std::move(acknowledged));
  Asked();
}

void PeerLink::Invalidate(std::vector<std::string> keys, LinkRequests::Done done) {
  requests_.Add(std::move(keys), std::move(done));
  Asked();
}

void PeerLink::Purge(cache::PurgeScope scope, cache::PurgeRound round,
                     LinkRequests::PurgeDone done) {
  requests_.Add(std::move(scope), round, std::move(done));
  Asked();
}

void PeerLink::Run(uint64_t operation, std::vector<std::string> args,
                   LinkRequests::CommandDone done) {
  requests_.Add(operation, std::move(args), std::move(done));
  Asked();
}

FrameChannel::Counters PeerLink::counters() const {
  return channel_ == nullptr ? FrameChannel::Counters() : channel_->counters();
}

void PeerLink::Asked() {
  if (std::exchange(turn_end_wanted_, true)) return;
  loop_.AtTurnEnd([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    turn_end_wanted_ = false;
    SendUnsent();
  });
}

void PeerLink::SendUnsent() {
  if (state_ == State::kUp) {
    requests_.SendAll(loop_.clock().Now(), peer_.incarnation, *this);
  } else if (state_ == State::kStopped) {
    requests_.RefuseUnsent(errors::Shutdown());
  } else if (unreachable_) {
    requests_.RefuseUnsent(errors::PeerUnreachable(config_.node));
  }
}

void PeerLink::Send(wire::Frame frame, const std::vector<LargeField>& large) {
  frame.set_epoch(self_.epoch());
  channel_->Send(std::move(frame), large);
}

void PeerLink::SendWritten(const WriteFrames& write) {
  channel_->SendWritten([&](std::string& out) { return write(out, self_.epoch()); });
}

wire::Frame PeerLink::NewFrame() const {
  wire::Frame frame;
  frame.set_epoch(self_.epoch());
  return frame;
}

void PeerLink::Connect() {
  state_ = State::kConnecting;
  channel_ =
      std::make_unique<FrameChannel>(loop_, budget_, static_cast<FrameChannel::Delegate&>(*this));
  channel_->Connect(config_.address, config_.connect_timeout,
                    net::TlsSource::CurrentOf(config_.tls));
}

void PeerLink::OnChannelOpen() {
  state_ = State::kHello;
  shown_ = self_.identity();
  handshake_.emplace(*shown_, secret_, config_.kind, config_.node);
  wire::Frame frame = NewFrame();
  *frame.mutable_hello() = handshake_->hello();
  channel_->SendAhead(frame);
  AwaitHello();
}

// Each answer of the hello has `dead_after`: a long way is no reason to take the peer for dead.
void PeerLink::AwaitHello() {
  loop_.Cancel(timer_);
  timer_ = loop_.After(config_.dead_after, [this] { Down("no answer to its hello", true); });
}

void PeerLink::OnFrame(wire::Frame& frame) {
  if (state_ == State::kHello) return OnHelloFrame(frame);
  if (frame.has_echo()) return OnEcho(frame.echo());
  if (frame.has_goodbye()) return OnGoodbye();
  if (frame.has_identity()) return OnPeerChanged(frame.identity());
  if (frame.has_refusal()) return Down(TextOf(frame.refusal()), false);
  if (frame.id() == 0) return;
  if (!requests_.OnAnswer(frame)) return Down("it answered what was not asked", false);
  CloseIfAnswered();
}

void PeerLink::OnGetFrame(const GetFrameView& frame) {
  if (frame.id == 0) return;
  const bool is_answer = frame.body == GetFrameWriter::Body::kGetReply;
  if (!is_answer || !requests_.OnGetReply(frame.id, frame.results))
    return Down("it answered what was not asked", false);
  CloseIfAnswered();
}

void PeerLink::OnPeerChanged(const wire::Identity& identity) {
  PeerIdentity now = FromWire(identity, *self_.identity(), peer_.version);
  if (!IsSameNode(now, peer_)) return Down("it says that it is another", false);
  peer_ = std::move(now);
  observer_.OnPeerChanged(peer_);
}

void PeerLink::Announce() {
  if (state_ != State::kUp) return;
  wire::Frame frame = NewFrame();
  *frame.mutable_identity() = ToWire(*self_.identity());
  channel_->Send(std::move(frame));
}

void PeerLink::OnGoodbye() {
  if (state_ != State::kUp) return;
  state_ = State::kLeaving;
  unreachable_ = true;
  observer_.OnGoodbye();
  SendUnsent();
  CloseIfAnswered();
}

void PeerLink::CloseIfAnswered() {
  if (state_ == State::kLeaving && requests_.sent() == 0) Down("it is stopping", true);
}

void PeerLink::OnHelloFrame(wire::Frame& frame) {
  if (frame.has_refusal()) return Down("refused: " + TextOf(frame.refusal()), true);
  if (frame.has_welcome()) return OnWelcome(frame.welcome());
  if (!frame.has_hello_reply()) return Down("it said no hello", true);
  auto proof = handshake_->OnReply(frame.hello_reply());
  wire::Frame answer = NewFrame();
  if (!proof) {
    answer.mutable_refusal()->set_text(proof.error());
    channel_->SendAhead(answer);
    return Down(proof.error(), true);
  }
  *answer.mutable_hello_proof() = std::move(*proof);
  channel_->SendAhead(answer);
  AwaitHello();
}

void PeerLink::OnWelcome(const wire::Welcome& welcome) {
  auto peer = handshake_->OnWelcome(welcome);
  if (!peer) return Down(peer.error(), true);
  peer_ = std::move(*peer);
  handshake_.reset();
  channel_->Trust();
  loop_.Cancel(timer_);
  state_ = State::kUp;
  unreachable_ = down_told_ = false;
  last_tick_ = up_since_ = loop_.clock().Now();
  ping_token_ = 0;
  timer_ = loop_.After(config_.dead_after / kTicks, [this] { Tick(); });
  // Changed while it said hello.
  if (self_.identity() != shown_) Announce();
  observer_.OnLinkUp(peer_);
  SendPing(up_since_);
  SendUnsent();
}

void PeerLink::SendPing(cache::Instant now) {
  ping_token_ = ++last_token_;
  ping_sent_ = now;
  wire::Frame frame = NewFrame();
  frame.mutable_ping()->set_token(ping_token_);
  channel_->SendAhead(frame);
}

void PeerLink::OnEcho(const wire::Echo& echo) {
  if (echo.token() != ping_token_) return;
  ping_token_ = 0;
  backoff_.Reset();
  observer_.OnEcho(loop_.clock().Now() - ping_sent_);
}

void PeerLink::Tick() {
  const cache::Instant now = loop_.clock().Now();
  const cache::Duration interval = config_.dead_after / kTicks;
  const cache::Duration since_tick = now - std::exchange(last_tick_, now);
  timer_ = loop_.After(interval, [this] { Tick(); });
  const cache::Instant silent_since = std::max(ping_sent_, channel_->last_heard());
  if (ping_token_ == 0 || since_tick > 2 * interval) {
    // This loop was held, and what the peer said meanwhile may be unread: ask before judging.
    SendPing(now);
  } else if (now - silent_since >= config_.dead_after) {
    observer_.OnSilence(silent_since);
    return Down("no echo of its ping", true);
  }
  requests_.TimeOut(now);
  CloseIfAnswered();
}

void PeerLink::OnChannelClosed(const std::string& reason) {
  // Refused at once, or gone while it said hello: it cannot be reached. Lost later: no verdict.
  Down(reason, state_ != State::kUp && state_ != State::kLeaving);
}

void PeerLink::Down(const std::string& reason, bool dead) {
  loop_.Cancel(std::exchange(timer_, 0));
  const bool was_up = std::exchange(state_, State::kWaiting) == State::kUp;
  channel_.reset();
  handshake_.reset();
  unreachable_ = unreachable_ || dead;
  // Connect again at once, unless the last connection was over as soon as it was made.
  const bool at_once = was_up && loop_.clock().Now() - up_since_ >= kLastRetry;
  Retry(at_once ? cache::Duration(0) : backoff_.Next());

  if (!std::exchange(down_told_, true)) observer_.OnLinkDown(reason);
  requests_.LoseSent();
  if (unreachable_) requests_.RefuseUnsent(errors::PeerUnreachable(config_.node));
}

void PeerLink::Retry(cache::Duration delay) {
  timer_ = loop_.After(delay, [this] {
    timer_ = 0;
    Connect();
  });
}

}  // namespace cistern::cluster
