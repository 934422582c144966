// Streams whose bytes pass through TLS.
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "tests/net/stream_fixture.h"
#include "tests/support/test_certificates.h"

namespace cistern::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kMoreThanTheKernelTakes = 16 * kMiB;

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& c : bytes)
    c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::shared_ptr<const TlsContext> Load(const TlsOptions& options) {
  auto context = TlsContext::Load(options);
  EXPECT_TRUE(context.has_value()) << context.error();
  return std::move(*context);
}

// The other end of a socket, for what no stream would do. Calls never wait.
class RawPeer {
 public:
  RawPeer(int fd, const TlsContext& context) : fd_(fd), ssl_(SSL_new(context.get()), &SSL_free) {
    SSL_set_fd(ssl_.get(), fd);
    SSL_set_connect_state(ssl_.get());
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { close(fd_); }

  // Sends what is to be sent of a handshake, or of a renewal of keys; whether that is over.
  bool Handshake() { return SSL_do_handshake(ssl_.get()) == 1; }
  bool is_open() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  SSL* ssl() { return ssl_.get(); }

 private:
  const int fd_;
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

// `server_` accepts with `accepts_`, `client_` connects with `connects_`: at first both with
// certificates of one authority, which both ask for.
class StreamTlsTest : public StreamTest {
 protected:
  StreamTlsTest() {
    const TestCertificate node = authority_.Issue("node");
    accepts_ = connects_ = Load({node.cert, node.key, authority_.ca(), ClientAuth::kYes});
  }

  void Listen() {
    auto listener = Listener::Open(loop_, Address::Tcp("127.0.0.1", 0), [this](int fd) {
      ASSERT_TRUE(server_.stream->Adopt(fd, accepts_).has_value());
      if (on_accept_) on_accept_();
    });
    ASSERT_TRUE(listener.has_value()) << listener.error();
    listener_ = std::move(*listener);
  }
  void Connect(cache::Duration timeout = kLong) {
    client_.stream->Connect(listener_->address(), timeout, connects_);
  }
  void FinishWhenBothAreClosed() {
    const auto finish = [this] {
      if (client_.closed + server_.closed == 2) Finish();
    };
    client_.on_closed = server_.on_closed = finish;
  }
  // One end of a connection whose other end is `server_`, for bytes as the test says.
  int ConnectRaw() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    EXPECT_TRUE(server_.stream->Adopt(ends[0], accepts_).has_value());
    return ends[1];
  }

  const TestAuthority authority_;
  std::shared_ptr<const TlsContext> accepts_;
  std::shared_ptr<const TlsContext> connects_;
};

TEST_F(StreamTlsTest, BytesGoBothWays) {
  Listen();
  client_.on_open = [&] { client_.stream->Write("question"); };
  server_.on_data = [&](std::string_view) { server_.stream->Write("answer"); };
  client_.on_data = [&](std::string_view) { Finish(); };
  Connect();
  EXPECT_FALSE(client_.stream->is_open());
  Run();
  EXPECT_EQ(server_.received, "question");
  EXPECT_EQ(client_.received, "answer");
  EXPECT_EQ(client_.opened, 1);
  EXPECT_EQ(server_.opened, 0);
}

TEST_F(StreamTlsTest, WritesBeforeTheHandshakeArriveInOrderOnBothSides) {
  Listen();
  Connect();
  client_.stream->Write("a");
  client_.stream->Write("b");
  EXPECT_EQ(client_.stream->queued_bytes(), 2U);
  client_.on_open = [&] { client_.stream->Write("c"); };
  on_accept_ = [&] { server_.stream->Write("hello"); };
  const auto finish = [&](std::string_view) {
    if (server_.received.size() == 3 && client_.received.size() == 5) Finish();
  };
  client_.on_data = server_.on_data = finish;
  Run();
  EXPECT_EQ(server_.received, "abc");
  EXPECT_EQ(client_.received, "hello");
  EXPECT_EQ(server_.writable, 1);
}

TEST_F(StreamTlsTest, TenMegabytesThroughASlowReaderStayOrderedAndBounded) {
  constexpr size_t kTotal = 10'000'000;
  constexpr size_t kStep = 10'007;
  constexpr size_t kLimit = kMiB / 4;
  const std::string sent = Pattern(kTotal);
  size_t written = 0;
  size_t most = 0;
  Listen();
  const auto fill = [&] {
    while (written < kTotal && client_.stream->queued_bytes() < kLimit) {
      const size_t step = std::min(kStep, kTotal - written);
      client_.stream->Write(std::string_view(sent).substr(written, step));
      written += step;
      most = std::max(most, client_.stream->queued_bytes());
    }
  };
  client_.on_open = fill;
  client_.on_writable = fill;
  server_.on_data = [&](std::string_view) {
    if (server_.received.size() == kTotal) return Finish();
    server_.stream->PauseReading();
    loop_.Post([&] { server_.stream->ResumeReading(); });
  };
  Connect();
  Run();
  EXPECT_TRUE(server_.received == sent);
  EXPECT_LE(most, kLimit + kStep + kMiB / 8);  // what is encrypted ahead is on top
  EXPECT_GT(client_.writable, 0);
}

TEST_F(StreamTlsTest, OwnedBytesAreEncryptedAsTheyLeaveAndHeldUntilThen) {
  Listen();
  auto owned = std::make_shared<const std::string>(Pattern(kMoreThanTheKernelTakes));
  const std::weak_ptr<const std::string> alive = owned;
  client_.on_open = [&] {
    Piece pieces[] = {{"<", nullptr}, {*owned, OwnerOf(owned)}, {">", nullptr}};
    owned.reset();
    client_.stream->Write(pieces);
    pieces[1].owner.reset();
    EXPECT_EQ(alive.use_count(), 1);
    EXPECT_GT(client_.stream->queued_bytes(), kMoreThanTheKernelTakes / 2);
  };
  const auto finish_when_all_is_over = [&] {
    if (client_.writable > 0 && server_.received.size() == kMoreThanTheKernelTakes + 2) Finish();
  };
  client_.on_writable = [&] {
    EXPECT_TRUE(alive.expired());
    finish_when_all_is_over();
  };
  server_.on_data = [&](std::string_view) { finish_when_all_is_over(); };
  Connect();
  Run();
  EXPECT_TRUE(server_.received == "<" + Pattern(kMoreThanTheKernelTakes) + ">");
}

TEST_F(StreamTlsTest, PauseInTheMiddleOfAReadHoldsBackTheRest) {
  char small[1000];
  server_.room = small;
  const std::string sent = Pattern(50'000);
  int while_paused = 0;
  bool paused = false;
  Listen();
  client_.on_open = [&] { client_.stream->Write(sent); };
  server_.on_data = [&](std::string_view bytes) {
    EXPECT_LE(bytes.size(), sizeof small);
    while_paused += paused ? 1 : 0;
    if (server_.received.size() == sent.size()) return Finish();
    paused = true;
    server_.stream->PauseReading();
    loop_.Post([&] {
      paused = false;
      server_.stream->ResumeReading();
    });
  };
  Connect();
  Run();
  EXPECT_EQ(while_paused, 0);
  EXPECT_TRUE(server_.received == sent);
}

TEST_F(StreamTlsTest, EndThatComesWhilePausedIsToldAfterTheRest) {
  char small[10];
  server_.room = small;
  Listen();
  client_.on_open = [&] {
    client_.stream->Write("0123456789abc");
    client_.stream->CloseWhenWritten();
  };
  server_.on_data = [&](std::string_view) {
    EXPECT_EQ(server_.ended, 0);
    server_.stream->PauseReading();
    loop_.Post([&] { server_.stream->ResumeReading(); });
  };
  FinishOnClose(server_);
  Connect();
  Run();
  EXPECT_EQ(server_.received, "0123456789abc");
  EXPECT_EQ(server_.reason->kind, CloseKind::kEnd);
}

TEST_F(StreamTlsTest, CloseWhenWrittenDeliversEverythingFirst) {
  const std::string sent = Pattern(kMoreThanTheKernelTakes);
  Listen();
  client_.on_open = [&] {
    client_.stream->Write(sent);
    client_.stream->CloseWhenWritten();
  };
  FinishWhenBothAreClosed();
  Connect();
  Run();
  EXPECT_TRUE(server_.received == sent);
  EXPECT_EQ(client_.reason->kind, CloseKind::kLocal);
  EXPECT_EQ(server_.reason->kind, CloseKind::kEnd);
}

TEST_F(StreamTlsTest, CloseWhenWrittenBeforeTheHandshakeWaitsForIt) {
  Listen();
  Connect();
  client_.stream->Write("only this");
  client_.stream->CloseWhenWritten();
  FinishWhenBothAreClosed();
  Run();
  EXPECT_EQ(server_.received, "only this");
  EXPECT_EQ(client_.reason->kind, CloseKind::kLocal);
}

TEST_F(StreamTlsTest, PeerThatHasEndedCanStillBeWrittenTo) {
  server_.stays_open_at_end = true;
  RawPeer peer(ConnectRaw(), *connects_);
  std::string answer;
  std::function<void()> turn = [&] {
    char room[100];
    if (!peer.is_open()) {
      if (peer.Handshake()) {
        SSL_write(peer.ssl(), "the end", 7);
        SSL_shutdown(peer.ssl());
      }
    } else if (const int got = SSL_read(peer.ssl(), room, sizeof room); got > 0) {
      answer.append(room, static_cast<size_t>(got));
      return Finish();
    }
    loop_.Post(turn);
  };
  server_.on_data = [&](std::string_view) {
    loop_.Post([&] { server_.stream->Write("late answer"); });
  };
  turn();
  Run();
  EXPECT_EQ(server_.received, "the end");
  EXPECT_EQ(server_.ended, 1);
  EXPECT_EQ(answer, "late answer");
}

TEST_F(StreamTlsTest, SocketThatClosesWithoutAWordHasEnded) {
  auto peer = std::make_unique<RawPeer>(ConnectRaw(), *connects_);
  std::function<void()> turn = [&] {
    if (!peer->Handshake()) return loop_.Post(turn);
    SSL_write(peer->ssl(), "last words", 10);
    peer.reset();
  };
  FinishOnClose(server_);
  turn();
  Run();
  EXPECT_EQ(server_.received, "last words");
  EXPECT_EQ(server_.reason->kind, CloseKind::kEnd);
}

TEST_F(StreamTlsTest, ServerOfAnotherAuthorityIsAFailedConnect) {
  const TestAuthority stranger("stranger");
  const TestCertificate foreign = stranger.Issue("foreign");
  accepts_ = Load({foreign.cert, foreign.key, stranger.ca()});
  Listen();
  FinishWhenBothAreClosed();
  Connect();
  Run();
  EXPECT_EQ(client_.opened, 0);
  EXPECT_EQ(client_.reason->kind, CloseKind::kConnectFailed);
  EXPECT_THAT(client_.reason->text, StartsWith("TLS: certificate verify failed"));
  EXPECT_EQ(server_.reason->kind, CloseKind::kTlsFailed);
  EXPECT_THAT(server_.reason->text, HasSubstr("unknown ca"));
}

TEST_F(StreamTlsTest, ClientWithoutTheRequiredCertificateHearsWhy) {
  connects_ = Load({"", "", authority_.ca()});
  Listen();
  FinishWhenBothAreClosed();
  Connect();
  Run();
  EXPECT_EQ(server_.reason->text, "TLS: peer did not return a certificate");
  EXPECT_THAT(client_.reason->text, HasSubstr("certificate required"));
}

TEST_F(StreamTlsTest, GarbageInsteadOfAHandshakeBreaksTheStream) {
  const int fd = ConnectRaw();
  ASSERT_EQ(send(fd, "*1\r\n$4\r\nPING\r\n", 14, 0), 14);
  FinishOnClose(server_);
  Run();
  EXPECT_EQ(server_.reason->kind, CloseKind::kTlsFailed);
  EXPECT_THAT(server_.reason->text, StartsWith("TLS: "));
  EXPECT_EQ(server_.received, "");
  close(fd);
}

TEST_F(StreamTlsTest, ServerThatSpeaksNoTlsIsAFailedConnect) {
  auto listener = Listener::Open(loop_, Address::Tcp("127.0.0.1", 0), [this](int fd) {
    ASSERT_TRUE(server_.stream->Adopt(fd).has_value());
    server_.stream->Write("-ERR Protocol error\r\n");
  });
  ASSERT_TRUE(listener.has_value());
  listener_ = std::move(*listener);
  FinishOnClose(client_);
  Connect();
  Run();
  EXPECT_EQ(client_.reason->kind, CloseKind::kConnectFailed);
  EXPECT_THAT(client_.reason->text, StartsWith("TLS: "));
}

TEST_F(StreamTlsTest, PeerThatClosesDuringTheHandshakeIsNoOpenStream) {
  const int fd = ConnectRaw();
  FinishOnClose(server_);
  close(fd);
  Run();
  EXPECT_EQ(server_.reason->text, "TLS: the connection ended during the handshake");
  EXPECT_EQ(server_.ended, 0);
}

TEST_F(StreamTlsTest, HandshakeThatNeverComesIsNotWaitedForLong) {
  const TestCertificate node = authority_.Issue("node");
  accepts_ = Load({node.cert, node.key, "", ClientAuth::kNo, std::chrono::milliseconds(20)});
  const int fd = ConnectRaw();
  FinishOnClose(server_);
  Run();
  EXPECT_EQ(server_.reason->text, "TLS: no handshake within 20 ms");
  close(fd);
}

TEST_F(StreamTlsTest, ConnectIsTimedUntilTheHandshakeIsOver) {
  int silent = -1;
  auto listener =
      Listener::Open(loop_, Address::Tcp("127.0.0.1", 0), [&silent](int fd) { silent = fd; });
  ASSERT_TRUE(listener.has_value());
  listener_ = std::move(*listener);
  FinishOnClose(client_);
  Connect(std::chrono::milliseconds(20));
  Run();
  EXPECT_EQ(client_.reason->kind, CloseKind::kConnectTimeout);
  EXPECT_EQ(client_.opened, 0);
  close(silent);
}

TEST_F(StreamTlsTest, ClosedBeforeTheHandshakeEndsTellsOnlyThat) {
  Listen();
  on_accept_ = [&] { client_.stream->Close(); };
  FinishWhenBothAreClosed();
  Connect();
  client_.stream->Write("never");
  Run();
  EXPECT_EQ(client_.opened, 0);
  EXPECT_EQ(client_.reason->kind, CloseKind::kLocal);
  EXPECT_EQ(server_.received, "");
}

TEST_F(StreamTlsTest, MayBeDestroyedInEachOfItsCalls) {
  for (const int call : {0, 1, 2, 3, 4}) {
    Loop loop(0);
    End client(loop);
    End server(loop);
    std::unique_ptr<Listener> listener;
    const auto finish = [&] {
      client.stream.reset();
      server.stream.reset();
      listener.reset();
      loop.Stop();
    };
    auto opened = Listener::Open(loop, Address::Tcp("127.0.0.1", 0), [&](int fd) {
      ASSERT_TRUE(server.stream->Adopt(fd, accepts_).has_value());
      server.stream->Write("early");
    });
    ASSERT_TRUE(opened.has_value());
    listener = std::move(*opened);
    client.on_open = [&, call] {
      if (call == 0) return finish();
      client.stream->Write(std::string(100'000, 'x'));
    };
    server.on_writable = [&, call] {
      if (call == 1) finish();
    };
    server.on_data = [&, call](std::string_view) {
      if (call == 2) finish();
      if (call == 3 && client.stream) client.stream->CloseWhenWritten();
      if (call == 4) client.stream.reset();
    };
    client.on_closed = [&] { client.stream.reset(); };
    server.on_closed = finish;
    client.stream->Connect(listener->address(), kLong, connects_);
    loop.Run();
    EXPECT_THAT(loop.left_open(), ::testing::IsEmpty()) << call;
  }
  Finish();
  Run();
}

TEST_F(StreamTlsTest, AnswersThatNobodyReadsDoNotPileUp) {
  RawPeer peer(ConnectRaw(), *connects_);
  std::function<void()> turn = [&] {
    if (server_.closed > 0) return;
    if (peer.Handshake()) SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED);
    loop_.Post(turn);
  };
  FinishOnClose(server_);
  turn();
  Run();
  EXPECT_EQ(server_.reason->text, "TLS: its answers are not read");
}

}  // namespace
}  // namespace cistern::net
