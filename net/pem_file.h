// Certificates and keys out of PEM files.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "net/result.h"

namespace cistern::net {

struct OpensslFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using CertificatePtr = std::unique_ptr<X509, OpensslFree>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree>;

// All certificates of the file, at least one. Errors begin with the path.
Result<std::vector<CertificatePtr>> ReadCertificates(const std::string& path);

// The first private key of the file. Never asks anybody for a passphrase.
Result<KeyPtr> ReadKey(const std::string& path);

// What OpenSSL's first error of this thread says; forgets them all.
std::string OpensslError();

}  // namespace cistern::net
