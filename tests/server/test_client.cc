#include "tests/server/test_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace cistern::server {
namespace {

constexpr time_t kPatienceSeconds = 10;

}  // namespace

TestClient::TestClient(int fd) : fd_(fd) {
  const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
}

TestClient::TestClient(TestClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

TestClient::~TestClient() {
  Close();
}

void TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(sent, 0) << "the server does not read";
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool TestClient::TrySend(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool TestClient::is_closed() {
  char byte = 0;
  const ssize_t got = recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

size_t TestClient::SendSome(std::string_view bytes) {
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

std::string TestClient::Read(size_t bytes) {
  std::string data(bytes, '\0');
  size_t have = 0;
  while (have < bytes) {
    const ssize_t got = recv(fd_, data.data() + have, bytes - have, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "no reply comes";
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  data.resize(have);
  return data;
}

std::string TestClient::ReadReply() {
  std::string reply;
  while (!reply.ends_with("\r\n")) {
    const std::string byte = Read(1);
    if (byte.empty()) return reply;
    reply += byte;
  }
  if (reply[0] == '$' && reply[1] != '-') reply += Read(std::stoul(reply.substr(1)) + 2);
  return reply;
}

std::string TestClient::ReadSome() {
  std::string data(1 << 20, '\0');
  const ssize_t got = recv(fd_, data.data(), data.size(), MSG_DONTWAIT);
  data.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return data;
}

std::string TestClient::ReadToEnd() {
  std::string all;
  while (true) {
    char buffer[65536];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "it stays open";
    if (got <= 0) return all;
    all.append(buffer, static_cast<size_t>(got));
  }
}

void TestClient::EndSending() {
  EXPECT_EQ(shutdown(fd_, SHUT_WR), 0);
}

void TestClient::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

std::string Ask(std::initializer_list<std::string_view> args) {
  std::string request = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string_view arg : args)
    request += Bulk(arg);
  return request;
}

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

}  // namespace cistern::server
