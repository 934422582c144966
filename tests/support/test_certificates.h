// Certificates that live as long as a test.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace cistern {

// Paths of PEM files.
struct TestCertificate {
  std::string cert;
  std::string key;
};

// An authority with a folder of its own for what it signs, removed with it. Not thread-safe.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test authority")
      : folder_(NewFolder()), key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), name_(name) {
    const CertificatePtr own = Make(name, key_.get(), -kDay, kYear, true);
    X509_sign(own.get(), key_.get(), EVP_sha256());
    WriteCertificate(ca(), own.get());
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;
  ~TestAuthority() { std::filesystem::remove_all(folder_); }

  std::string ca() const { return Path("ca.pem"); }
  std::string Path(const std::string& file) const { return (folder_ / file).string(); }

  // Files NAME.pem and NAME.key; replaces those of an earlier call. Times are from now, in seconds.
  TestCertificate Issue(const std::string& name, long from = -kDay, long until = kYear) const {
    const KeyPtr key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const CertificatePtr certificate = Make(name, key.get(), from, until, false);
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    const TestCertificate issued{Path(name + ".pem"), Path(name + ".key")};
    WriteCertificate(issued.cert, certificate.get());
    WriteKey(issued.key, key.get(), nullptr);
    return issued;
  }

  // The key of an issued certificate again, protected by a passphrase.
  static void Protect(const std::string& path, const char* passphrase) {
    std::FILE* file = std::fopen(path.c_str(), "r");
    const KeyPtr key(PEM_read_PrivateKey(file, nullptr, nullptr, nullptr), &EVP_PKEY_free);
    std::fclose(file);
    WriteKey(path, key.get(), passphrase);
  }

  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  static constexpr long kDay = 24L * 60 * 60;
  static constexpr long kYear = 365 * kDay;

 private:
  using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

  static std::filesystem::path NewFolder() {
    std::string path = ::testing::TempDir() + "cistern-certificates-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    return path;
  }

  CertificatePtr Make(const std::string& name, EVP_PKEY* key, long from, long until,
                      bool is_ca) const {
    static std::atomic<long> last_serial{0};
    CertificatePtr made(X509_new(), &X509_free);
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++last_serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
    SetName(X509_get_subject_name(made.get()), name);
    SetName(X509_get_issuer_name(made.get()), name_);
    X509_set_pubkey(made.get(), key);
    X509_EXTENSION* basic = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints,
                                                is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    X509_add_ext(made.get(), basic, -1);
    X509_EXTENSION_free(basic);
    return made;
  }

  static void SetName(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  }

  static void WriteCertificate(const std::string& path, X509* certificate) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
  }

  static void WriteKey(const std::string& path, EVP_PKEY* key, const char* passphrase) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_PrivateKey(file, key, passphrase == nullptr ? nullptr : EVP_aes_128_cbc(),
                         reinterpret_cast<const unsigned char*>(passphrase),
                         passphrase == nullptr ? 0 : static_cast<int>(std::strlen(passphrase)),
                         nullptr, nullptr);
    std::fclose(file);
  }

  const std::filesystem::path folder_;
  const KeyPtr key_;
  const std::string name_;
};

}  // namespace cistern
