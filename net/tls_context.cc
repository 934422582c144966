#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <utility>

#include "net/pem_file.h"

namespace cistern::net {
namespace {

constexpr std::time_t kDay = std::time_t{24} * 60 * 60;
constexpr std::time_t kSoon = 14 * kDay;

constexpr uint64_t kRules = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                            SSL_OP_CIPHER_SERVER_PREFERENCE;

std::string TextOf(const ASN1_TIME* time) {
  BIO* bio = BIO_new(BIO_s_mem());
  ASN1_TIME_print(bio, time);
  char* data = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &data));
  std::string text(data, size);
  BIO_free(bio);
  return text;
}

bool IsBefore(const ASN1_TIME* time, std::time_t moment) {
  return ASN1_TIME_cmp_time_t(time, moment) < 0;
}

void WarnOfTimes(const X509* certificate, const std::string& path, std::time_t now,
                 std::vector<std::string>& warnings) {
  const ASN1_TIME* from = X509_get0_notBefore(certificate);
  const ASN1_TIME* until = X509_get0_notAfter(certificate);
  if (IsBefore(until, now)) {
    warnings.push_back(path + ": expired at " + TextOf(until));
  } else if (IsBefore(until, now + kSoon)) {
    warnings.push_back(path + ": expires soon, at " + TextOf(until));
  } else if (!IsBefore(from, now + 1)) {
    warnings.push_back(path + ": is not valid before " + TextOf(from));
  }
}

int VerifyMode(ClientAuth client_auth) {
  switch (client_auth) {
    case ClientAuth::kNo:
      return SSL_VERIFY_NONE;
    case ClientAuth::kOptional:
      return SSL_VERIFY_PEER;
    case ClientAuth::kYes:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const TlsOptions& options) {
  return Load(options, std::time(nullptr));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const TlsOptions& options,
                                                           std::time_t now) {
  ERR_clear_error();
  SSL_CTX* made = SSL_CTX_new(TLS_method());
  if (made == nullptr) return tl::unexpected("TLS: " + OpensslError());
  std::shared_ptr<TlsContext> context(new TlsContext(made, options.handshake_timeout));
  SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
  SSL_CTX_set_options(made, kRules);
  // Idle connections shall not hold 34 KiB of buffers each.
  SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
  // No session is resumed: a certificate is looked at whenever one connects. (And a ticket that
  // lies unread when a client closes its socket would make a reset of that, which loses what the
  // client sent last.)
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(made, 0);
  SSL_CTX_set_verify(made, VerifyMode(options.client_auth), nullptr);
  if (!options.cert.empty()) {
    if (auto own = context->UseOwn(options, now); !own) return tl::unexpected(own.error());
  }
  if (!options.ca.empty()) {
    auto authorities = context->UseAuthorities(options, now);
    if (!authorities) return tl::unexpected(authorities.error());
  }
  return context;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<void> TlsContext::UseOwn(const TlsOptions& options, std::time_t now) {
  auto certificates = ReadCertificates(options.cert);
  if (!certificates) return tl::unexpected(certificates.error());
  const auto key = ReadKey(options.key);
  if (!key) return tl::unexpected(key.error());
  X509* own = certificates->front().get();
  ERR_clear_error();
  if (X509_check_private_key(own, key->get()) != 1) {
    ERR_clear_error();
    return tl::unexpected(options.key + ": is not the key of the certificate in " + options.cert);
  }
  if (SSL_CTX_use_certificate(context_, own) != 1)
    return tl::unexpected(options.cert + ": " + OpensslError());
  if (SSL_CTX_use_PrivateKey(context_, key->get()) != 1)
    return tl::unexpected(options.key + ": " + OpensslError());
  for (size_t i = 1; i < certificates->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context_, (*certificates)[i].get()) != 1)
      return tl::unexpected(options.cert + ": " + OpensslError());
  }
  WarnOfTimes(own, options.cert, now, warnings_);
  valid_until_ = TextOf(X509_get0_notAfter(own));
  return {};
}

Result<void> TlsContext::UseAuthorities(const TlsOptions& options, std::time_t now) {
  const auto certificates = ReadCertificates(options.ca);
  if (!certificates) return tl::unexpected(certificates.error());
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  // Whoever stands in the file is trusted, also a CA that another one has signed.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const CertificatePtr& certificate : *certificates) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1 ||
        SSL_CTX_add_client_CA(context_, certificate.get()) != 1)
      return tl::unexpected(options.ca + ": " + OpensslError());
    WarnOfTimes(certificate.get(), options.ca, now, warnings_);
  }
  return {};
}

}  // namespace cistern::net
