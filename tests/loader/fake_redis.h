// FakeRedis: a server that speaks RESP and answers as the test says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/stream.h"

namespace cistern::loader {

// Used on its loop's thread (or before the loop runs).
class FakeRedis {
 public:
  using Command = std::vector<std::string>;
  struct Answer {
    std::string bytes;   // as they stand; empty: none
    bool close = false;  // after them
    bool drips = false;  // a byte a millisecond follows, without end
  };
  using Script = std::function<Answer(const Command&)>;

  explicit FakeRedis(net::Loop& loop);
  ~FakeRedis();

  // Listens on a port of the kernel's choice, or again on the one it had.
  void Listen();
  // Accepts no more and drops every connection.
  void Close();

  const net::Address& address() const { return address_; }
  // Its commands with their arguments, "GET a", in the order they came.
  const std::vector<std::string>& commands() const { return commands_; }
  int connections() const { return accepted_; }

  Script script;  // default: each value is "of " and its key

 private:
  class Client;

  net::Loop& loop_;
  net::Address address_ = net::Address::Tcp("127.0.0.1", 0);
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::string> commands_;
  int accepted_ = 0;
};

std::string Bulk(std::string_view value);
std::string Array(const std::vector<std::string>& items);

}  // namespace cistern::loader
