#include "cluster/peer_session.h"

#include <algorithm>
#include <utility>

namespace cistern::cluster {
namespace {

// A stranger's hello: as long as one with our own list of members, and some more of them.
constexpr size_t kHelloBytes = size_t{4} << 10;
constexpr size_t kMemberBytes = 640;
constexpr size_t kMoreMembers = 16;
// The asker pings every quarter of `dead_after`: after this many of them unheard it is gone.
constexpr int kSilentDeadlines = 10;

}  // namespace

std::shared_ptr<PeerSession> PeerSession::Make(net::Loop& loop, const Context& context,
                                               Owner& owner) {
  return std::shared_ptr<PeerSession>(new PeerSession(loop, context, owner));
}

PeerSession::PeerSession(net::Loop& loop, const Context& context, Owner& owner)
    : loop_(loop),
      context_(context),
      shown_(context.self.identity()),
      owner_(owner),
      channel_(loop, context.service.budget(), *this),
      handshake_(*shown_, context.secret),
      silence_(kSilentDeadlines * context.dead_after) {
  channel_.LimitStranger(kHelloBytes + kMemberBytes * (shown_->members.size() + kMoreMembers));
}

PeerSession::~PeerSession() {
  loop_.Cancel(timer_);
}

net::Result<void> PeerSession::Start(int fd) {
  auto adopted = channel_.Adopt(fd, net::TlsSource::CurrentOf(context_.tls));
  if (!adopted) return adopted;
  AwaitHello();
  return {};
}

// As at the asking side, each part of the hello has `dead_after`.
void PeerSession::AwaitHello() {
  loop_.Cancel(timer_);
  timer_ = loop_.After(context_.dead_after, [this] { Refuse("no hello in time"); });
}

wire::Frame PeerSession::NewFrame(uint64_t id) const {
  wire::Frame frame;
  frame.set_id(id);
  frame.set_epoch(context_.self.epoch());
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
    case wire::Frame::kIdentity:
      return OnPeerChanged(frame.identity());
    case wire::Frame::kGoodbye:
      return;
    case wire::Frame::kRefusal:
      return Refuse("refused: " + TextOf(frame.refusal()));
    default:
      break;
  }
  Unknown(frame.id());
}

void PeerSession::OnGetFrame(const GetFrameView& frame) {
  const auto self = shared_from_this();
  if (state_ == State::kClosed) return;
  if (frame.body != GetFrameWriter::Body::kGet) return Unknown(frame.id);
  OnGets(frame.id, frame.epoch, frame.gets);
}

void PeerSession::Unknown(uint64_t id) {
  if (id == 0) return;
  wire::Frame unknown = NewFrame(id);
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
  AwaitHello();
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
  // Changed while it said hello.
  if (context_.self.identity() != shown_) Announce();
  WatchSilence();
}

void PeerSession::OnPeerChanged(const wire::Identity& identity) {
  PeerIdentity now = FromWire(identity, *context_.self.identity(), peer_.version);
  if (!IsSameNode(now, peer_)) return Refuse("it says that it is another");
  peer_ = std::move(now);
  owner_.OnPeerChanged(node_, peer_);
}

void PeerSession::Announce() {
  if (state_ != State::kUp) return;
  wire::Frame frame = NewFrame(0);
  *frame.mutable_identity() = ToWire(*context_.self.identity());
  channel_.Send(std::move(frame));
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
