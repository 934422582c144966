// Address: where to listen or connect: a TCP host and port, or a unix socket's path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/result.h"

namespace cistern::net {

struct Address {
  enum class Kind : uint8_t { kTcp, kUnix };

  Kind kind = Kind::kTcp;
  std::string host;   // kTcp: a name or a numeric address, IPv6 without brackets
  uint16_t port = 0;  // kTcp; 0 lets the kernel choose when listening
  std::string path;   // kUnix

  static Address Tcp(std::string host, uint16_t port);
  static Address Unix(std::string path);
  // "127.0.0.1:6379", "db.example.org:6379", "[::1]:6379", "unix:/run/x.sock". The error names the
  // text and what is wrong with it.
  static Result<Address> Parse(std::string_view text);

  // The text that Parse() reads.
  std::string ToString() const;
  // Whether only this machine can reach it: 127.0.0.0/8, ::1, "localhost", unix sockets. Other
  // names are not looked up and are not loopback.
  bool is_loopback() const;

  bool operator==(const Address&) const = default;
};

// Where to listen, and whether in TLS: "tls:" may stand in front of host and port.
struct ListenAddress : Address {
  bool tls = false;

  static Result<ListenAddress> Parse(std::string_view text);
  std::string ToString() const;

  bool operator==(const ListenAddress&) const = default;
};

}  // namespace cistern::net
