#include "net/tls_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tls_source.h"
#include "tests/support/test_certificates.h"

namespace cistern::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class TlsContextTest : public ::testing::Test {
 protected:
  TlsContextTest() : options_{own_.cert, own_.key, authority_.ca()} {}

  std::string Error() {
    const auto loaded = TlsContext::Load(options_);
    return loaded ? "" : loaded.error();
  }

  const TestAuthority authority_;
  const TestCertificate own_ = authority_.Issue("node");
  TlsOptions options_;
};

TEST_F(TlsContextTest, GoodFilesLoadWithoutAWord) {
  const auto loaded = TlsContext::Load(options_);
  ASSERT_TRUE(loaded.has_value()) << loaded.error();
  EXPECT_THAT((*loaded)->warnings(), IsEmpty());
  EXPECT_THAT((*loaded)->valid_until(), HasSubstr("GMT"));
}

TEST_F(TlsContextTest, EachMissingFileIsNamed) {
  for (std::string TlsOptions::*file : {&TlsOptions::cert, &TlsOptions::key, &TlsOptions::ca}) {
    TlsOptions options{own_.cert, own_.key, authority_.ca()};
    options.*file = "/no/such.pem";
    const auto loaded = TlsContext::Load(options);
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error(), "/no/such.pem: No such file or directory");
  }
}

TEST_F(TlsContextTest, FolderIsNoFile) {
  options_.cert = authority_.Path("");
  EXPECT_EQ(Error(), options_.cert + ": Is a directory");
}

TEST_F(TlsContextTest, KeyOfAnotherCertificateIsRefused) {
  options_.key = authority_.Issue("other").key;
  EXPECT_EQ(Error(), options_.key + ": is not the key of the certificate in " + own_.cert);
}

TEST_F(TlsContextTest, FileWithoutCertificateIsRefused) {
  options_.cert = own_.key;
  EXPECT_EQ(Error(), own_.key + ": holds no certificate in PEM form");
  options_.cert = own_.cert;
  options_.ca = own_.key;
  EXPECT_EQ(Error(), own_.key + ": holds no certificate in PEM form");
}

TEST_F(TlsContextTest, FileWithoutKeyIsRefused) {
  options_.key = own_.cert;
  EXPECT_EQ(Error(), own_.cert + ": holds no private key in PEM form");
}

TEST_F(TlsContextTest, DamagedCertificateIsRefused) {
  std::string text = TestAuthority::Read(own_.cert);
  text[text.size() / 2] = '!';
  TestAuthority::Write(own_.cert, text);
  EXPECT_THAT(Error(), StartsWith(own_.cert + ": a certificate in it is damaged"));
}

TEST_F(TlsContextTest, KeyWithAPassphraseIsRefusedAndNobodyIsAsked) {
  TestAuthority::Protect(own_.key, "secret");
  EXPECT_THAT(Error(), StartsWith(own_.key + ": is protected by a passphrase"));
}

TEST_F(TlsContextTest, TimesThatAreOverOrNearAreWarnedOfAndNotFatal) {
  const long day = TestAuthority::kDay;
  const struct {
    long from;
    long until;
    std::string says;
  } cases[] = {{-9 * day, -day, "expired at "},
               {-day, 13 * day, "expires soon, at "},
               {day, 90 * day, "is not valid before "}};
  for (const auto& one : cases) {
    const TestCertificate issued = authority_.Issue("timed", one.from, one.until);
    const auto loaded = TlsContext::Load({issued.cert, issued.key, authority_.ca()});
    ASSERT_TRUE(loaded.has_value()) << loaded.error();
    EXPECT_THAT((*loaded)->warnings(), ElementsAre(StartsWith(issued.cert + ": " + one.says)));
  }
}

TEST_F(TlsContextTest, WhatIsGoodNowIsWarnedOfInTenYears) {
  const auto loaded = TlsContext::Load(options_, std::time(nullptr) + 10 * TestAuthority::kYear);
  ASSERT_TRUE(loaded.has_value()) << loaded.error();
  EXPECT_EQ((*loaded)->warnings().size(), 2U);
}

TEST_F(TlsContextTest, ReloadTakesNewFiles) {
  const auto source = TlsSource::Load(options_);
  ASSERT_TRUE(source.has_value()) << source.error();
  const auto before = (*source)->current();
  authority_.Issue("node", -TestAuthority::kDay, 3 * TestAuthority::kYear);
  EXPECT_TRUE((*source)->Reload().has_value());
  EXPECT_NE((*source)->current(), before);
  EXPECT_THAT((*source)->current()->valid_until(), Not(before->valid_until()));
}

TEST_F(TlsContextTest, FailedReloadKeepsWhatThereWasAndSaysWhy) {
  const auto source = TlsSource::Load(options_);
  ASSERT_TRUE(source.has_value()) << source.error();
  const auto before = (*source)->current();
  TestAuthority::Write(own_.key, "");
  const auto reloaded = (*source)->Reload();
  ASSERT_FALSE(reloaded.has_value());
  EXPECT_EQ(reloaded.error(), own_.key + ": holds no private key in PEM form");
  EXPECT_EQ((*source)->current(), before);
}

}  // namespace
}  // namespace cistern::net
