// TlsContext: certificates and rules of TLS, loaded from files once and never changed.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "cache/clock.h"
#include "net/result.h"

struct ssl_ctx_st;  // NOLINT(readability-identifier-naming): OpenSSL's

namespace cistern::net {

// What a side that accepts asks of one that connects. A certificate that is shown must be good even
// where none is required.
enum class ClientAuth : uint8_t { kNo, kOptional, kYes };

// Paths of PEM files.
struct TlsOptions {
  std::string cert;  // the own certificate, then those between it and its CA; empty: none is shown
  std::string key;   // the key of `cert`, without a passphrase
  std::string ca;    // whom the other side's certificate must be signed by
  ClientAuth client_auth = ClientAuth::kNo;
  // The longest that a side that connects may let one that accepts wait for it.
  cache::Duration handshake_timeout = std::chrono::seconds(10);

  bool is_on() const { return !cert.empty(); }
  bool operator==(const TlsOptions&) const = default;
};

// TLS 1.2 and newer. Connections made of it keep it alive, and its files are not read again.
// (thread-safe)
class TlsContext {
 public:
  // An error begins with the file at fault: "/etc/cistern/node.key: is not the key of ...".
  static Result<std::shared_ptr<const TlsContext>> Load(const TlsOptions& options);
  // `now` is what certificates' times are compared with, for warnings().
  static Result<std::shared_ptr<const TlsContext>> Load(const TlsOptions& options, std::time_t now);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  ssl_ctx_st* get() const { return context_; }
  cache::Duration handshake_timeout() const { return handshake_timeout_; }
  // What does not prevent its use: files whose certificates have expired, or will soon.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // The end of the own certificate's life: "Nov 21 08:00:00 2027 GMT". Empty: it has none.
  const std::string& valid_until() const { return valid_until_; }

 private:
  TlsContext(ssl_ctx_st* context, cache::Duration handshake_timeout)
      : context_(context), handshake_timeout_(handshake_timeout) {}
  Result<void> UseOwn(const TlsOptions& options, std::time_t now);
  Result<void> UseAuthorities(const TlsOptions& options, std::time_t now);

  ssl_ctx_st* const context_;
  const cache::Duration handshake_timeout_;
  std::vector<std::string> warnings_;
  std::string valid_until_;
};

}  // namespace cistern::net
