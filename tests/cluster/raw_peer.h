// A peer that says what a test makes it say, with blocking calls on the test's own thread.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

#include "cluster/frame_codec.h"
#include "cluster/handshake.h"
#include "net/address.h"

namespace cistern::cluster {

class RawPeer {
 public:
  explicit RawPeer(const net::Address& address)
      : fd_(socket(IsUnix(address) ? AF_UNIX : AF_INET, SOCK_STREAM, 0)) {
    // Small, so that what a node sends does not vanish in the kernel.
    const int buffer = 64 * 1024;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    EXPECT_EQ(IsUnix(address) ? ConnectUnix(address) : ConnectTcp(address), 0);
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~RawPeer() { close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  // False: the connection is gone.
  bool SendBytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  bool Send(const wire::Frame& frame) {
    std::string bytes;
    AppendFrame(frame, bytes);
    return SendBytes(bytes);
  }
  // Nothing: the connection was closed.
  std::optional<wire::Frame> Receive() {
    wire::Frame frame;
    for (;;) {
      const auto status = decoder_.Next(frame);
      if (status == FrameDecoder::Status::kFrame) return frame;
      EXPECT_NE(status, FrameDecoder::Status::kMalformed);
      std::array<char, 65536> buffer;
      const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
      EXPECT_FALSE(got < 0 && errno == EAGAIN) << "nothing came";
      if (got <= 0) return std::nullopt;
      decoder_.Append({buffer.data(), static_cast<size_t>(got)});
    }
  }

  // The asker's hello, to "b".
  void SayHello(const Identity& self, std::string_view secret) {
    ClientHandshake handshake(self, secret, wire::LINK_DATA, "b");
    wire::Frame frame;
    *frame.mutable_hello() = handshake.hello();
    Send(frame);
    const auto reply = Receive();
    ASSERT_TRUE(reply && reply->has_hello_reply());
    const auto proof = handshake.OnReply(reply->hello_reply());
    ASSERT_TRUE(proof) << proof.error();
    *frame.mutable_hello_proof() = *proof;
    Send(frame);
    const auto welcome = Receive();
    ASSERT_TRUE(welcome && welcome->has_welcome());
    ASSERT_TRUE(handshake.OnWelcome(welcome->welcome()));
  }

 private:
  static bool IsUnix(const net::Address& address) {
    return address.kind == net::Address::Kind::kUnix;
  }
  int ConnectTcp(const net::Address& address) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
    return connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  int ConnectUnix(const net::Address& address) const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address.path.copy(to.sun_path, sizeof to.sun_path - 1);
    return connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }

  const int fd_;
  FrameDecoder decoder_;
};

}  // namespace cistern::cluster
