// What becomes of bytes that cannot leave at once.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/net/stream_fixture.h"

namespace cistern::net {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kMoreThanTheKernelTakes = 16 * kMiB;

// Bytes of which each says where it stands.
std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& c : bytes)
    c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

TEST_F(StreamTest, SmallWriteLeavesAtOnceAndIsNotQueued) {
  Listen();
  client_.on_open = [&] {
    client_.stream->Write("small");
    EXPECT_EQ(client_.stream->queued_bytes(), 0U);
  };
  server_.on_data = [&](std::string_view) { Finish(); };
  Connect();
  Run();
  EXPECT_EQ(client_.writable, 0);
}

TEST_F(StreamTest, WritesBeforeTheConnectEndsArriveInOrder) {
  Listen();
  Connect();
  client_.stream->Write("a");
  client_.stream->Write("b");
  EXPECT_EQ(client_.stream->queued_bytes(), 2U);
  client_.on_open = [&] { client_.stream->Write("c"); };
  server_.on_data = [&](std::string_view) {
    if (server_.received.size() == 3) Finish();
  };
  Run();
  EXPECT_EQ(server_.received, "abc");
}

TEST_F(StreamTest, TenMegabytesThroughASlowReaderStayOrderedAndBounded) {
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
  EXPECT_LE(most, kLimit + kStep);
  EXPECT_GT(client_.writable, 0);
}

TEST_F(StreamTest, BytesWithoutOwnerAreCopiedWhenTheyMustWait) {
  Listen();
  const std::string sent = Pattern(kMoreThanTheKernelTakes);
  std::string scratch = sent;
  client_.on_open = [&] {
    client_.stream->Write(scratch);
    EXPECT_GT(client_.stream->queued_bytes(), 0U);
    scratch.assign(scratch.size(), '!');
  };
  server_.on_data = [&](std::string_view) {
    if (server_.received.size() == sent.size()) Finish();
  };
  Connect();
  Run();
  EXPECT_TRUE(server_.received == sent);
}

TEST_F(StreamTest, OwnedBytesAreHeldUntilTheyHaveLeft) {
  Listen();
  auto owned = std::make_shared<const std::string>(Pattern(kMoreThanTheKernelTakes));
  const std::weak_ptr<const std::string> alive = owned;
  client_.on_open = [&] {
    Piece pieces[] = {{"<", nullptr}, {*owned, OwnerOf(owned)}, {">", nullptr}};
    owned.reset();
    client_.stream->Write(pieces);
    pieces[1].owner.reset();
    EXPECT_FALSE(alive.expired());
    EXPECT_EQ(alive.use_count(), 1);
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
  EXPECT_EQ(server_.received.front(), '<');
  EXPECT_EQ(server_.received.back(), '>');
  EXPECT_TRUE(server_.received.substr(1, kMoreThanTheKernelTakes) ==
              Pattern(kMoreThanTheKernelTakes));
}

TEST_F(StreamTest, OwnersAreLetGoWhenTheStreamCloses) {
  Listen();
  auto owned = std::make_shared<const std::string>(kMoreThanTheKernelTakes, 'x');
  const std::weak_ptr<const std::string> alive = owned;
  on_accept_ = [&] { server_.stream->PauseReading(); };
  client_.on_open = [&] {
    Piece pieces[] = {{*owned, OwnerOf(owned)}, {*owned, OwnerOf(owned)}};
    owned.reset();
    client_.stream->Write(pieces);
    client_.stream->Close();
    EXPECT_EQ(client_.stream->queued_bytes(), 0U);
  };
  client_.on_closed = [&] {
    EXPECT_TRUE(alive.expired());
    Finish();
  };
  Connect();
  Run();
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.writable, 0);
}

TEST_F(StreamTest, ManyPiecesArriveInOrder) {
  Listen();
  const std::string sent = Pattern(4 * kMiB);
  client_.on_open = [&] {
    std::vector<Piece> pieces;
    for (size_t at = 0; at < sent.size(); at += 4096)
      pieces.push_back({std::string_view(sent).substr(at, 4096), nullptr});
    pieces.push_back({"", nullptr});
    client_.stream->Write(pieces);
  };
  server_.on_data = [&](std::string_view) {
    if (server_.received.size() == sent.size()) Finish();
  };
  Connect();
  Run();
  EXPECT_TRUE(server_.received == sent);
}

TEST_F(StreamTest, CloseWhenWrittenDeliversEverythingFirst) {
  Listen();
  const std::string sent = Pattern(kMoreThanTheKernelTakes);
  client_.on_open = [&] {
    client_.stream->Write(sent);
    client_.stream->CloseWhenWritten();
    client_.stream->Write("too late");
    EXPECT_FALSE(client_.stream->is_closing());
  };
  FinishOnClose(client_);  // which waits until the other side has closed
  Connect();
  Run();
  EXPECT_TRUE(server_.received == sent);
  EXPECT_EQ(client_.reason->kind, CloseKind::kLocal);
  EXPECT_EQ(server_.reason->kind, CloseKind::kEnd);
}

// A client that has sent more than was read: a reset would overtake the error that says why.
class LingerTest : public StreamTest {
 protected:
  // Connects a plain socket and sends `bytes`; the server's stream answers "why" to what it reads
  // first, and closes.
  int SendAndBeRefused(const std::string& bytes) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener_->bound_port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_GT(send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT), 0);
    server_.on_data = [&](std::string_view) {
      server_.stream->Write("why");
      server_.stream->CloseWhenWritten();
      server_.stream->Write("too late");
    };
    return fd;
  }
};

TEST_F(LingerTest, LastBytesArriveThoughMuchWasSentThatNobodyReads) {
  Listen();
  const int fd = SendAndBeRefused(std::string(kMiB, 'x'));
  std::string got;
  std::function<void()> read = [&] {
    char bytes[16];
    const ssize_t count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) got.append(bytes, static_cast<size_t>(count));
    // The end comes while more may still be sent: it is no reset.
    if (count == 0) {
      EXPECT_GT(send(fd, "more", 4, MSG_NOSIGNAL), 0);
      close(fd);
      return;
    }
    EXPECT_TRUE(count > 0 || errno == EAGAIN) << strerror(errno);
    loop_.After(std::chrono::milliseconds(1), read);
  };
  read();
  FinishOnClose(server_);
  Run();
  EXPECT_EQ(got, "why");
  EXPECT_EQ(server_.reason->kind, CloseKind::kLocal);
}

TEST_F(LingerTest, PeerThatNeverEndsItsSideIsLeftAfterAWhile) {
  Listen();
  const int fd = SendAndBeRefused("x");
  FinishOnClose(server_);
  Run();
  close(fd);
  EXPECT_EQ(server_.reason->kind, CloseKind::kLocal);
}

TEST_F(LingerTest, PeerThatSendsForEverIsLeftToo) {
  Listen();
  const int fd = SendAndBeRefused("x");
  const std::string more(kMiB, 'x');
  size_t sent = 0;
  std::function<void()> send_on = [&] {
    const ssize_t count = send(fd, more.data(), more.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    sent += count > 0 ? static_cast<size_t>(count) : 0;
    if (!server_.reason) loop_.AtTurnEnd([&] { loop_.Post(send_on); });
  };
  send_on();
  FinishOnClose(server_);
  Run();
  close(fd);
  EXPECT_LT(sent, 64 * kMiB);
}

TEST_F(StreamTest, WritingToAClosedPeerBreaksTheStreamAndNotTheProcess) {
  Listen();
  server_.stays_open_at_end = true;
  std::function<void()> write = [&] {
    if (!server_.stream || server_.stream->is_closing()) return;
    server_.stream->Write("anybody?");
    loop_.After(std::chrono::milliseconds(1), write);
  };
  on_accept_ = [&] {
    client_.stream.reset();
    write();
  };
  FinishOnClose(server_);
  Connect();
  Run();
  ASSERT_TRUE(server_.reason.has_value());
  EXPECT_EQ(server_.reason->kind, CloseKind::kBroken);
}

}  // namespace
}  // namespace cistern::net
