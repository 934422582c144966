// Whatever a peer sends. The first input byte says to whom: the frame decoder, a session behind a
// good hello, a link's requests, or the hello itself; the second where the bytes are split.
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "cluster/link_requests.h"
#include "cluster/peer_session.h"
#include "tests/cluster/fakes.h"
#include "tests/cluster/fuzz/frame_mutator.h"
#include "tests/cluster/get_frames.h"
#include "tests/support/manual_executor.h"

// libFuzzer's.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace cistern::cluster {
namespace {

constexpr std::string_view kSecret = "s3cret";
constexpr uint64_t kFence = 0xfe17ce;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "FACT VIOLATED: %s\n", what);
  std::abort();
}

Identity IdentityOf(const std::string& name) {
  Identity identity;
  identity.name = name;
  identity.incarnation = name[0];
  return identity;
}

// ---- Frames and their large fields, in one piece and in two.

// What links read in place, and what the generated classes make of it.
void ReadBothWays(std::string_view bytes) {
  FrameDecoder decoder;
  decoder.Lend(bytes);
  GetFrameView view;
  wire::Frame frame;
  for (std::string_view body; decoder.NextBytes(body) == FrameDecoder::Status::kFrame;) {
    if (!ReadGetFrame(body, view)) continue;
    Require(frame.ParseFromArray(body.data(), static_cast<int>(body.size())), "it is a message");
    Require(MeansTheSame(view, frame), "both ways of reading agree");
  }
}

std::string WholeFrames(std::string_view bytes, size_t split) {
  FrameDecoder decoder;
  PayloadInbox inbox(64 << 10);
  std::string all;
  for (const std::string_view part : {bytes.substr(0, split), bytes.substr(split)}) {
    decoder.Append(part);
    wire::Frame frame;
    for (;;) {
      const auto status = decoder.Next(frame);
      if (status == FrameDecoder::Status::kNeedMore) break;
      if (status == FrameDecoder::Status::kMalformed) return all + "malformed";
      const auto taken = inbox.Take(frame);
      Require(inbox.bytes() <= (64 << 10) + kMaxFrameBytes, "inbox is bounded");
      if (taken == PayloadInbox::Status::kMalformed) return all + "malformed";
      if (taken == PayloadInbox::Status::kWhole) all += frame.SerializeAsString() + "\n";
    }
  }
  return all;
}

// ---- A session, from the other end of its socket.

class Peer : net::StreamDelegate, PeerSession::Owner {
 public:
  explicit Peer(std::string_view bytes)
      : bytes_(bytes), sequence_(ReadFrames(bytes)), stream_(loop_, *this) {
    int ends[2];
    Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "pair");
    session_ = PeerSession::Make(loop_, context_, *this);
    Require(session_->Start(ends[0]).has_value() && stream_.Adopt(ends[1]).has_value(), "starts");
    loop_.After(std::chrono::seconds(60), [] { Require(false, "answers or closes in time"); });
    wire::Frame hello;
    *hello.mutable_hello() = handshake_.hello();
    Send(hello);
  }
  void Run() {
    loop_.Run();
    Require(loop_.left_open().empty(), "leaves nothing open");
    Judge();
  }

 private:
  cache::NodeId OnPeerHeard(const PeerIdentity&) override { return 7; }
  void OnPeerChanged(cache::NodeId, const PeerIdentity&) override {}
  void OnSessionClosed(PeerSession&, const std::string&, const std::string&) override { End(); }

  void Send(const wire::Frame& frame) { stream_.Write(WriteFrames({frame})); }
  void OnData(std::string_view bytes) override {
    decoder_.Append(bytes);
    wire::Frame frame;
    for (auto status = decoder_.Next(frame); status != FrameDecoder::Status::kNeedMore;
         status = decoder_.Next(frame)) {
      Require(status == FrameDecoder::Status::kFrame, "session speaks frames");
      OnFrame(frame);
    }
  }
  void OnClosed(const net::CloseReason&) override { End(); }

  void OnFrame(const wire::Frame& frame) {
    if (frame.has_hello_reply()) {
      auto proof = handshake_.OnReply(frame.hello_reply());
      Require(proof.has_value(), "hello is answered");
      wire::Frame answer;
      *answer.mutable_hello_proof() = *proof;
      return Send(answer);
    }
    if (frame.has_welcome()) return Attack();
    if (frame.has_echo() && frame.echo().token() == kFence) {
      // What was asked before is answered within a few turns.
      return Later(4);
    }
    answers_.push_back(frame);
  }
  void Later(int turns) {
    loop_.Post([this, turns] { turns == 0 ? End() : Later(turns - 1); });
  }
  void Attack() {
    stream_.Write(bytes_);
    if (!sequence_.is_whole) return stream_.CloseWhenWritten();
    wire::Frame ping;
    ping.mutable_ping()->set_token(kFence);
    Send(ping);
  }
  void End() {
    if (std::exchange(ended_, true)) return;
    loop_.Post([this] {
      session_.reset();
      stream_.Close();
      loop_.Stop();
    });
  }

  void Judge() {
    std::map<uint64_t, int> asked;   // keys, by request
    std::set<uint64_t> may_be_done;  // invalidations of a kind that is known
    for (const wire::Frame& frame : sequence_.frames) {
      asked[frame.id()] += frame.get().items_size();
      const wire::Invalidate& message = frame.invalidate();
      if (message.selector() >= wire::SELECTOR_KEYS && message.selector() <= wire::SELECTOR_ALL &&
          (message.role() == wire::ROLE_AT_OWNER || message.role() == wire::ROLE_COPIES))
        may_be_done.insert(frame.id());
    }
    for (const wire::Frame& frame : answers_) {
      asked[frame.id()] -= frame.get_reply().items_size();
      Require(asked[frame.id()] >= 0, "each key is answered once");
      if (frame.has_invalidate_reply() && frame.invalidate_reply().done())
        Require(may_be_done.contains(frame.id()), "only what is understood is acknowledged");
    }
  }

  const std::string_view bytes_;
  const FrameSequence sequence_;
  const Self self_{IdentityOf("b")};
  const Identity other_ = IdentityOf("a");
  FakeService service_;
  FakeRunner commands_;
  const PeerSession::Context context_ = MakeContext();
  net::Loop loop_{0};
  ClientHandshake handshake_{other_, kSecret, wire::LINK_DATA, "b"};
  FrameDecoder decoder_;
  std::vector<wire::Frame> answers_;
  bool ended_ = false;
  std::shared_ptr<PeerSession> session_;
  net::Stream stream_;

  PeerSession::Context MakeContext() {
    service_.find = [](const PeerLook& look, const PeerService::Take& take) {
      if (look.key.bytes.size() % 2 == 0) return false;
      cache::PeerReply reply;
      reply.lent = look.key.bytes;
      take(reply);
      return true;
    };
    return {self_, kSecret, std::chrono::minutes(10), service_, commands_};
  }
};

// ---- Answers to what a link has asked: ids 1 to 4.

struct Nowhere : LinkRequests::Connection {
  void Send(wire::Frame, const std::vector<LargeField>&) override {}
  void SendWritten(const WriteFrames& write) override {
    std::string bytes;
    write(bytes, 1);
  }
};

void AnswerRequests(std::string_view bytes) {
  test::ManualClock clock;
  test::ManualExecutor executor(clock);
  cache::Budget budget(1 << 20);
  LinkRequests requests("b", budget);
  std::vector<std::shared_ptr<FakeFetch>> fetches;
  int told = 0;
  for (const char* key : {"k", "l", "m"}) {
    fetches.push_back(std::make_shared<FakeFetch>(key));
    requests.Add(fetches.back());
  }
  requests.Add(2, cache::Notice{"k", 1},
               cache::Completion<bool>::Make(executor, [&](bool) { ++told; }));
  requests.Add({"k"}, cache::Completion<cache::Result<int64_t>>::Make(
                          executor, [&](const auto&) { ++told; }));
  requests.Add(
      1, {"SET", "k", "v"},
      cache::Completion<cache::Result<CommandReply>>::Make(executor, [&](const auto&) { ++told; }));
  Nowhere nowhere;
  requests.SendAll(cache::SystemClock().Now(), 2, nowhere);
  GetFrameView view;
  for (wire::Frame& frame : ReadFrames(bytes).frames) {
    const std::string whole = frame.SerializeAsString();
    const bool in_place = ReadGetFrame(whole, view) && view.body == Body::kGetReply;
    if (!(in_place ? requests.OnGetReply(view.id, view.results) : requests.OnAnswer(frame))) break;
    executor.RunAll();
  }
  requests.LoseSent();
  executor.RunAll();
  for (const auto& fetch : fetches)
    Require(fetch->replies.size() == 1, "each fetch is answered once");
  Require(told == 3 && requests.sent() == 0, "everything is answered once");
}

// ---- The hello of somebody who does not know the secret.

void SayHello(std::string_view bytes) {
  const Identity self = IdentityOf("b");
  ServerHandshake server(self, kSecret);
  ClientHandshake client(self, kSecret, wire::LINK_DATA, "a");
  for (const wire::Frame& frame : ReadFrames(bytes).frames) {
    wire::Welcome welcome;
    if (frame.has_hello()) static_cast<void>(server.OnHello(frame.hello()));
    if (frame.has_hello_proof())
      Require(!server.OnProof(frame.hello_proof(), welcome), "no stranger is let in");
    if (frame.has_hello_reply()) static_cast<void>(client.OnReply(frame.hello_reply()));
    if (frame.has_welcome()) Require(!client.OnWelcome(frame.welcome()), "no stranger is believed");
    Require(welcome.proof().empty(), "nothing is proved to a stranger");
  }
}

void Run(std::string_view input) {
  if (input.size() < 2) return;
  const std::string_view bytes = input.substr(2);
  switch (input[0] % 4) {
    case 0: {
      const size_t split = static_cast<unsigned char>(input[1]) % (bytes.size() + 1);
      ReadBothWays(bytes);
      Require(WholeFrames(bytes, 0) == WholeFrames(bytes, split), "a split changes nothing");
      break;
    }
    case 1:
      Peer(bytes).Run();
      break;
    case 2:
      AnswerRequests(bytes);
      break;
    default:
      SayHello(bytes);
  }
}

}  // namespace
}  // namespace cistern::cluster

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  cistern::net::IgnoreSigpipe();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cistern::cluster::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  using namespace cistern::cluster;
  if (size < 2 || seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  auto frames = ReadFrames(input.substr(2)).frames;
  FrameMutator mutator(seed);
  for (unsigned changes = 1 + seed / 4 % 4; changes > 0; --changes)
    mutator.Change(frames);
  const std::string changed = std::string(input.substr(0, 2)) + WriteFrames(frames);
  if (changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  changed.copy(reinterpret_cast<char*>(data), changed.size());
  return changed.size();
}
