#include "net/pem_file.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace cistern::net {
namespace {

// The largest list of authorities is a quarter of it.
constexpr size_t kMaxFileBytes = size_t{1} << 20;

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

tl::unexpected<std::string> Failed(const std::string& path, const std::string& reason) {
  return tl::unexpected(path + ": " + reason);
}

Result<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, std::strerror(errno));
  std::string text;
  std::array<char, 16384> buffer;
  ssize_t got = 0;
  while (text.size() <= kMaxFileBytes && (got = read(fd, buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<size_t>(got));
  const int error = errno;
  close(fd);
  if (got < 0) return Failed(path, std::strerror(error));
  if (text.size() > kMaxFileBytes) return Failed(path, "is too large to be a PEM file");
  return text;
}

int TellThatItIsAsked(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// Whether reading ended where PEM blocks do, and not at one that is damaged.
bool IsEndOfFile() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

}  // namespace

std::string OpensslError() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? "error " + std::to_string(error) : reason;
}

Result<std::vector<CertificatePtr>> ReadCertificates(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return tl::unexpected(text.error());
  const BioPtr bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  std::vector<CertificatePtr> certificates;
  ERR_clear_error();
  bool asked = false;
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, &TellThatItIsAsked, &asked))
    certificates.emplace_back(one);
  const bool is_end = IsEndOfFile();
  const std::string reason = OpensslError();
  if (!is_end) return Failed(path, "a certificate in it is damaged: " + reason);
  if (certificates.empty()) return Failed(path, "holds no certificate in PEM form");
  return certificates;
}

Result<KeyPtr> ReadKey(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return tl::unexpected(text.error());
  const BioPtr bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  ERR_clear_error();
  bool asked = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &TellThatItIsAsked, &asked));
  ERR_clear_error();
  if (asked) return Failed(path, "is protected by a passphrase; remove it (openssl pkey)");
  if (key == nullptr) return Failed(path, "holds no private key in PEM form");
  return key;
}

}  // namespace cistern::net
