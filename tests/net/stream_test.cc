// Streams from connect to close. (Writing: stream_write_test.cc)
#include "net/stream.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>

#include "tests/net/stream_fixture.h"

namespace cistern::net {
namespace {

// A port nobody listens at: bound, so that nobody else gets it meanwhile.
class DeafPort {
 public:
  explicit DeafPort(int backlog = -1) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size), 0);
    if (backlog >= 0) {
      EXPECT_EQ(listen(fd_, backlog), 0);
    }
    name_ = name;
  }
  ~DeafPort() {
    for (const int filler : fillers_)
      close(filler);
    close(fd_);
  }
  Address address() const { return Address::Tcp("127.0.0.1", ntohs(name_.sin_port)); }
  // After this the kernel answers no further connect.
  void FillBacklog() {
    for (int& filler : fillers_) {
      filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      [[maybe_unused]] const int pending =
          connect(filler, reinterpret_cast<const sockaddr*>(&name_), sizeof name_);
    }
  }

 private:
  int fd_;
  sockaddr_in name_{};
  std::array<int, 4> fillers_{-1, -1, -1, -1};
};

TEST_F(StreamTest, BytesGoBothWays) {
  Listen();
  client_.on_open = [&] { client_.stream->Write("ping"); };
  server_.on_data = [&](std::string_view) { server_.stream->Write("pong"); };
  client_.on_data = [&](std::string_view) { Finish(); };
  Connect();
  EXPECT_FALSE(client_.stream->is_open());
  Run();
  EXPECT_EQ(server_.received, "ping");
  EXPECT_EQ(client_.received, "pong");
  EXPECT_EQ(client_.opened, 1);
  EXPECT_EQ(server_.opened, 0);
}

TEST_F(StreamTest, UnixSocketWorksAlike) {
  char pattern[] = "/tmp/cistern-net-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  Listen(Address::Unix(folder + "/s"));
  client_.on_open = [&] { client_.stream->Write("ping"); };
  server_.on_data = [&](std::string_view) { server_.stream->Write("pong"); };
  client_.on_data = [&](std::string_view) { Finish(); };
  Connect();
  Run();
  EXPECT_EQ(client_.received, "pong");
  std::filesystem::remove_all(folder);
}

TEST_F(StreamTest, NamesAreResolved) {
  Listen();
  client_.on_open = [&] { Finish(); };
  client_.on_closed = [&] { Finish(); };
  client_.stream->Connect(Address::Tcp("localhost", listener_->bound_port()), kLong);
  Run();
  EXPECT_EQ(client_.opened, 1);
}

TEST_F(StreamTest, UnknownNameIsAFailedConnect) {
  FinishOnClose(client_);
  client_.stream->Connect(Address::Tcp("no such host", 1), kLong);
  Run();
  ASSERT_TRUE(client_.reason.has_value());
  EXPECT_EQ(client_.reason->kind, CloseKind::kConnectFailed);
}

TEST_F(StreamTest, RefusedConnectIsReported) {
  const DeafPort port;
  FinishOnClose(client_);
  client_.stream->Connect(port.address(), kLong);
  EXPECT_EQ(client_.closed, 0);
  Run();
  ASSERT_TRUE(client_.reason.has_value());
  EXPECT_EQ(client_.reason->kind, CloseKind::kConnectFailed);
  EXPECT_EQ(client_.reason->text, "connection refused");
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.opened, 0);
}

TEST_F(StreamTest, MissingUnixSocketIsReportedAndNeverInsideConnect) {
  FinishOnClose(client_);
  client_.stream->Connect(Address::Unix("/nowhere/s"), kLong);
  EXPECT_EQ(client_.closed, 0);
  Run();
  ASSERT_TRUE(client_.reason.has_value());
  EXPECT_EQ(client_.reason->kind, CloseKind::kConnectFailed);
  EXPECT_EQ(client_.reason->text, "no such file or directory");
}

TEST_F(StreamTest, ConnectThatNobodyAnswersTimesOut) {
  DeafPort port(0);
  port.FillBacklog();
  FinishOnClose(client_);
  client_.stream->Connect(port.address(), std::chrono::milliseconds(20));
  Run();
  ASSERT_TRUE(client_.reason.has_value());
  EXPECT_EQ(client_.reason->kind, CloseKind::kConnectTimeout);
  EXPECT_EQ(client_.reason->text, "connect timed out after 20 ms");
}

TEST_F(StreamTest, CloseBeforeTheConnectEndsIsTheOnlyThingHeard) {
  Listen();
  FinishOnClose(client_);
  Connect();
  client_.stream->Close();
  client_.stream->Close();
  EXPECT_TRUE(client_.stream->is_closing());
  EXPECT_EQ(client_.closed, 0);
  Run();
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.opened, 0);
  EXPECT_EQ(client_.reason->kind, CloseKind::kLocal);
}

TEST_F(StreamTest, CloseDuringALookUpDoesNotWaitForIt) {
  FinishOnClose(client_);
  client_.stream->Connect(Address::Tcp("localhost", 1), kLong);
  client_.stream->Close();
  Run();
  EXPECT_EQ(client_.reason->kind, CloseKind::kLocal);
}

TEST_F(StreamTest, DestroyedStreamTellsNothing) {
  Listen();
  Connect();
  client_.stream.reset();
  loop_.After(std::chrono::milliseconds(5), [&] { Finish(); });
  Run();
  EXPECT_EQ(client_.opened + client_.closed, 0);
}

TEST_F(StreamTest, MayBeDestroyedInEachOfItsCalls) {
  for (const int call : {0, 1, 2}) {
    Loop loop(0);
    End client(loop);
    End server(loop);
    auto listener = *Listener::Open(loop, Address::Tcp("127.0.0.1", 0), [&](int fd) {
      ASSERT_TRUE(server.stream->Adopt(fd).has_value());
      server.stream->Write("x");
    });
    const auto end = [&] {
      client.stream.reset();
      server.stream.reset();
      listener.reset();
      loop.Stop();
    };
    if (call == 0) client.on_open = end;
    if (call == 1) client.on_data = [&](std::string_view) { end(); };
    if (call == 2) {
      client.on_data = [&](std::string_view) { client.stream->Close(); };
      client.on_closed = end;
    }
    client.stream->Connect(listener->address(), kLong);
    loop.Run();
    EXPECT_THAT(loop.left_open(), ::testing::IsEmpty());
  }
  Finish();
  Run();
}

TEST_F(StreamTest, PeerThatClosesEndsTheStream) {
  Listen();
  on_accept_ = [&] { server_.stream->Close(); };
  FinishOnClose(client_);
  Connect();
  Run();
  EXPECT_EQ(client_.reason->kind, CloseKind::kEnd);
  EXPECT_EQ(client_.ended, 1);
}

TEST_F(StreamTest, HalfClosedStreamCanStillBeWritten) {
  Listen();
  server_.stays_open_at_end = true;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(listener_->bound_port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  ASSERT_EQ(send(fd, "last", 4, 0), 4);
  ASSERT_EQ(shutdown(fd, SHUT_WR), 0);
  std::function<void()> wait = [&] {
    if (server_.ended == 0) {
      loop_.After(std::chrono::milliseconds(1), wait);
      return;
    }
    server_.stream->Write("answer");
    server_.stream->CloseWhenWritten();
  };
  wait();
  FinishOnClose(server_);
  Run();
  char bytes[16];
  EXPECT_EQ(std::string(bytes, static_cast<size_t>(recv(fd, bytes, sizeof bytes, 0))), "answer");
  close(fd);
  EXPECT_EQ(server_.received, "last");
  EXPECT_EQ(server_.reason->kind, CloseKind::kLocal);
}

TEST_F(StreamTest, ResetByThePeerIsABrokenStream) {
  Listen();
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(listener_->bound_port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  on_accept_ = [&] {
    const linger hard{1, 0};
    ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(fd);
  };
  FinishOnClose(server_);
  Run();
  EXPECT_EQ(server_.reason->kind, CloseKind::kBroken);
  EXPECT_EQ(server_.reason->text, "connection reset by peer");
}

TEST_F(StreamTest, AdoptRefusesWhatIsNoSocketAndClosesIt) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_FALSE(client_.stream->Adopt(ends[0]).has_value());
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), -1);
  close(ends[1]);
  Finish();
  Run();
}

TEST_F(StreamTest, OneReadATurnEvenWhenItFillsTheBuffer) {
  constexpr size_t kBytes = 4 * Loop::kReadBufferBytes;
  Listen();
  std::set<uint64_t> turns;
  client_.on_open = [&] { client_.stream->Write(std::string(kBytes, 'x')); };
  server_.on_data = [&](std::string_view bytes) {
    EXPECT_LE(bytes.size(), Loop::kReadBufferBytes);
    EXPECT_TRUE(turns.insert(loop_.turn()).second);
    if (server_.received.size() == kBytes) Finish();
  };
  Connect();
  Run();
  EXPECT_EQ(server_.received, std::string(kBytes, 'x'));
}

TEST_F(StreamTest, DelegatesOwnBufferIsReadInto) {
  Listen();
  std::string own(3, '\0');
  server_.room = own;
  client_.on_open = [&] { client_.stream->Write("abcdef"); };
  server_.on_data = [&](std::string_view bytes) {
    EXPECT_EQ(bytes.data(), own.data());
    if (server_.received.size() == 6) Finish();
  };
  Connect();
  Run();
  EXPECT_EQ(server_.received, "abcdef");
  EXPECT_EQ(server_.reads, 2);
}

TEST_F(StreamTest, NothingIsReadWhilePaused) {
  Listen();
  on_accept_ = [&] {
    server_.stream->PauseReading();
    client_.stream->Write("x");
    loop_.After(std::chrono::milliseconds(10), [&] {
      EXPECT_EQ(server_.reads, 0);
      server_.stream->ResumeReading();
    });
  };
  server_.on_data = [&](std::string_view) { Finish(); };
  Connect();
  Run();
  EXPECT_EQ(server_.received, "x");
}

}  // namespace
}  // namespace cistern::net
