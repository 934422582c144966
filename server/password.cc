#include "server/password.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>

namespace cistern::server {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest DigestOf(std::string_view text) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

}  // namespace

bool SamePassword(std::string_view given, std::string_view wanted) {
  // Of equal length whatever was given: the comparison tells no length either.
  const Digest a = DigestOf(given);
  const Digest b = DigestOf(wanted);
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace cistern::server
