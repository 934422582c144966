// The client's side of a connection.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace cistern::server {

// The other end of a socket. Calls block for 10 s at most and fail the test then.
class TestClient {
 public:
  explicit TestClient(int fd);
  TestClient(TestClient&& other) noexcept;
  TestClient& operator=(TestClient&&) = delete;
  ~TestClient();

  void Send(std::string_view bytes);
  // False if the server has closed the connection.
  bool TrySend(std::string_view bytes);
  // Whether the server has; what it sent before is left.
  bool is_closed();
  // What the socket takes without waiting.
  size_t SendSome(std::string_view bytes);
  // That many bytes, or fewer if the connection ended.
  std::string Read(size_t bytes);
  // A line; a bulk string with its text.
  std::string ReadReply();
  std::string ReadSome();  // what is there; empty: nothing
  std::string ReadToEnd();
  void EndSending();
  void Close();

 private:
  int fd_;
};

// "*2\r\n$4\r\nECHO\r\n..."
std::string Ask(std::initializer_list<std::string_view> args);
std::string Bulk(std::string_view text);

}  // namespace cistern::server
