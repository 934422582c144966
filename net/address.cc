#include "net/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <charconv>
#include <utility>

namespace cistern::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kTlsPrefix = "tls:";

tl::unexpected<std::string> Bad(std::string_view text, std::string_view what) {
  return tl::unexpected("address '" + std::string(text) + "': " + std::string(what));
}

bool ParsePort(std::string_view digits, uint16_t& port) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

Address Address::Tcp(std::string host, uint16_t port) {
  Address address;
  address.host = std::move(host);
  address.port = port;
  return address;
}

Address Address::Unix(std::string path) {
  Address address;
  address.kind = Kind::kUnix;
  address.path = std::move(path);
  return address;
}

Result<Address> Address::Parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    if (path.empty()) return Bad(text, "the path is missing");
    if (path.find('\0') != path.npos) return Bad(text, "the path holds a zero byte");
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return Bad(text, "the path is too long");
    return Unix(std::string(path));
  }
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return Bad(text, "expected host:port");
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) return Bad(text, "the host is missing");
  if (host.find('\0') != host.npos) return Bad(text, "the host holds a zero byte");
  if (!bracketed && host.find(':') != host.npos)
    return Bad(text, "an IPv6 address stands in brackets: [::1]:6379");
  in6_addr v6;
  if (bracketed && inet_pton(AF_INET6, std::string(host).c_str(), &v6) != 1)
    return Bad(text, "not an IPv6 address");
  uint16_t port = 0;
  if (!ParsePort(text.substr(colon + 1), port)) return Bad(text, "the port is not 0 to 65535");
  return Tcp(std::string(host), port);
}

std::string Address::ToString() const {
  if (kind == Kind::kUnix) return std::string(kUnixPrefix) + path;
  const bool is_v6 = host.find(':') != host.npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool Address::is_loopback() const {
  if (kind == Kind::kUnix || host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

Result<ListenAddress> ListenAddress::Parse(std::string_view text) {
  const bool tls = text.starts_with(kTlsPrefix);
  auto address = Address::Parse(tls ? text.substr(kTlsPrefix.size()) : text);
  if (!address) return tl::unexpected(address.error());
  if (tls && address->kind == Kind::kUnix) return Bad(text, "a unix socket takes no TLS");
  return ListenAddress{std::move(*address), tls};
}

std::string ListenAddress::ToString() const {
  return (tls ? std::string(kTlsPrefix) : "") + Address::ToString();
}

}  // namespace cistern::net
