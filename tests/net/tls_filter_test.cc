#include "net/tls_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/support/test_certificates.h"

namespace cistern::net {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Side = TlsFilter::Side;
using State = TlsFilter::State;

// Reads all there is.
std::string Drain(TlsFilter& filter) {
  std::string plain;
  char room[1000];
  while (const size_t got = filter.Read(room))
    plain.append(room, got);
  return plain;
}

// What `from` has to send, in pieces of `step` bytes; returns what `to` reads.
std::string Carry(TlsFilter& from, TlsFilter& to, size_t step = std::string::npos) {
  std::string plain;
  const std::string cipher = std::move(from.output());
  from.output().clear();
  for (size_t at = 0; at < cipher.size(); at += std::min(step, cipher.size() - at)) {
    const std::string piece = cipher.substr(at, step);
    to.Feed(piece);
    if (to.state() == State::kHandshake) to.Handshake();
    plain += Drain(to);
    to.Keep();
  }
  return plain;
}

void Shake(TlsFilter& client, TlsFilter& server, size_t step = std::string::npos) {
  client.Handshake();
  for (int flight = 0; flight < 4; ++flight) {
    Carry(client, server, step);
    Carry(server, client, step);
  }
}

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& c : bytes)
    c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

class TlsFilterTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const TlsContext> Load(const TlsOptions& options) {
    auto context = TlsContext::Load(options);
    EXPECT_TRUE(context.has_value()) << context.error();
    return std::move(*context);
  }
  std::shared_ptr<const TlsContext> Server(ClientAuth client_auth) const {
    return Load({node_.cert, node_.key, authority_.ca(), client_auth});
  }

  const TestAuthority authority_;
  const TestAuthority stranger_{"stranger"};
  const TestCertificate node_ = authority_.Issue("node");
  const TestCertificate client_ = authority_.Issue("client");
  const TestCertificate foreign_ = stranger_.Issue("foreign");
  const std::shared_ptr<const TlsContext> mutual_ = Server(ClientAuth::kYes);
  const std::shared_ptr<const TlsContext> anonymous_ = Load({"", "", authority_.ca()});
};

TEST_F(TlsFilterTest, BytesGoBothWaysAndAreNotReadable) {
  TlsFilter client(mutual_, Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server);
  ASSERT_EQ(client.state(), State::kOpen);
  ASSERT_EQ(server.state(), State::kOpen);
  client.Write("a question");
  EXPECT_THAT(client.output(), ::testing::Not(HasSubstr("question")));
  EXPECT_EQ(Carry(client, server), "a question");
  server.Write("an answer");
  EXPECT_EQ(Carry(server, client), "an answer");
}

TEST_F(TlsFilterTest, EveryByteMayComeAlone) {
  TlsFilter client(mutual_, Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server, 1);
  ASSERT_EQ(server.state(), State::kOpen) << server.error();
  const std::string sent = Pattern(20'000);
  client.Write(sent);
  EXPECT_EQ(Carry(client, server, 1), sent);
}

TEST_F(TlsFilterTest, MuchMoreThanARecordStaysWhole) {
  TlsFilter client(mutual_, Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server);
  const std::string sent = Pattern(size_t{5} << 20);
  client.Write(sent);
  EXPECT_TRUE(Carry(client, server, 7777) == sent);
}

TEST_F(TlsFilterTest, WhatIsKeptOutlivesItsBuffer) {
  TlsFilter client(mutual_, Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server);
  client.Write("first");
  client.Write("second");
  std::string cipher = client.output();
  client.output().clear();
  server.Feed(cipher);
  char room[5];
  EXPECT_EQ(server.Read(room), 5U);
  EXPECT_TRUE(server.has_input());
  server.Keep();
  cipher.assign(cipher.size(), '!');
  client.Write("third");
  server.Feed(client.output());
  EXPECT_EQ(Drain(server), "secondthird");
  EXPECT_FALSE(server.has_input());
}

TEST_F(TlsFilterTest, ServerOfAnotherAuthorityIsRefused) {
  const auto foreign = Load({foreign_.cert, foreign_.key, stranger_.ca()});
  TlsFilter client(anonymous_, Side::kConnects);
  TlsFilter server(foreign, Side::kAccepts);
  Shake(client, server);
  EXPECT_EQ(client.state(), State::kFailed);
  EXPECT_EQ(client.error(),
            "TLS: certificate verify failed: self-signed certificate in certificate chain");
  EXPECT_EQ(server.state(), State::kFailed);
  EXPECT_THAT(server.error(), HasSubstr("unknown ca"));
}

TEST_F(TlsFilterTest, ExpiredServerIsRefused) {
  const TestCertificate old =
      authority_.Issue("old", -2 * TestAuthority::kDay, -TestAuthority::kDay);
  TlsFilter client(anonymous_, Side::kConnects);
  TlsFilter server(Load({old.cert, old.key, ""}), Side::kAccepts);
  Shake(client, server);
  EXPECT_EQ(client.error(), "TLS: certificate verify failed: certificate has expired");
}

TEST_F(TlsFilterTest, RequiredClientCertificateIsMissed) {
  TlsFilter client(anonymous_, Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server);
  EXPECT_EQ(server.state(), State::kFailed);
  EXPECT_EQ(server.error(), "TLS: peer did not return a certificate");
  EXPECT_EQ(client.state(), State::kFailed);
  EXPECT_THAT(client.error(), HasSubstr("certificate required"));
}

TEST_F(TlsFilterTest, OptionalClientCertificateMayBeMissingButNotForeign) {
  const auto optional = Server(ClientAuth::kOptional);
  TlsFilter without(anonymous_, Side::kConnects);
  TlsFilter server(optional, Side::kAccepts);
  Shake(without, server);
  EXPECT_EQ(server.state(), State::kOpen);

  const auto foreign = Load({foreign_.cert, foreign_.key, authority_.ca()});
  TlsFilter with(foreign, Side::kConnects);
  TlsFilter other(optional, Side::kAccepts);
  Shake(with, other);
  EXPECT_EQ(other.state(), State::kFailed);
  EXPECT_THAT(other.error(), StartsWith("TLS: certificate verify failed"));
}

TEST_F(TlsFilterTest, ClientCertificateOfTheAuthorityIsTaken) {
  TlsFilter client(Load({client_.cert, client_.key, authority_.ca()}), Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server);
  EXPECT_EQ(server.state(), State::kOpen);
  EXPECT_EQ(client.state(), State::kOpen);
}

TEST_F(TlsFilterTest, OneSideMayEndWhileTheOtherGoesOn) {
  TlsFilter client(mutual_, Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server);
  client.Write("last words");
  client.End();
  EXPECT_EQ(Carry(client, server), "last words");
  EXPECT_EQ(server.state(), State::kEnded);
  EXPECT_TRUE(server.can_write());
  server.Write("still there");
  server.End();
  EXPECT_EQ(Carry(server, client), "still there");
  EXPECT_EQ(client.state(), State::kEnded);
}

TEST_F(TlsFilterTest, WhateverIsNoHandshakeIsRefusedAtOnce) {
  const std::string cases[] = {
      "*1\r\n$4\r\nPING\r\n",    "GET / HTTP/1.1\r\n\r\n",
      "PING\r\nPING\r\n",        Pattern(300),
      std::string(70'000, '\0'), std::string("\x16\x03\x01\xff\xff", 5) + Pattern(70'000)};
  for (const std::string& garbage : cases) {
    TlsFilter server(mutual_, Side::kAccepts);
    server.Feed(garbage);
    server.Handshake();
    EXPECT_EQ(server.state(), State::kFailed) << garbage.substr(0, 20);
    EXPECT_THAT(server.error(), StartsWith("TLS: "));
    EXPECT_LT(server.output().size(), 100U);
  }
}

TEST_F(TlsFilterTest, ChangedByteIsNoticed) {
  TlsFilter client(mutual_, Side::kConnects);
  TlsFilter server(mutual_, Side::kAccepts);
  Shake(client, server);
  client.Write("DEL k");
  client.output().back() ^= 1;
  EXPECT_THAT(Carry(client, server), IsEmpty());
  EXPECT_EQ(server.state(), State::kFailed);
}

// A client that does what ours never would.
class RawClient {
 public:
  explicit RawClient(int max_version)
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), ssl_(nullptr, &SSL_free) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
  }
  // Carries bytes both ways until both are silent; what `server` reads is added to `received`.
  void Exchange(TlsFilter& server) {
    for (int turn = 0; turn < 6; ++turn) {
      char room[16384];
      SSL_read(ssl_.get(), room, sizeof room);
      failed_with = ERR_peek_last_error() != 0 ? ERR_peek_last_error() : failed_with;
      ERR_clear_error();
      const int count = BIO_read(SSL_get_wbio(ssl_.get()), room, sizeof room);
      if (count > 0) server.Feed({room, static_cast<size_t>(count)});
      if (server.state() == State::kHandshake) server.Handshake();
      received += Drain(server);
      const std::string answer = std::move(server.output());
      server.output().clear();
      BIO_write(SSL_get_rbio(ssl_.get()), answer.data(), static_cast<int>(answer.size()));
    }
  }
  SSL* ssl() { return ssl_.get(); }

  std::string received;
  unsigned long failed_with = 0;

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

TEST_F(TlsFilterTest, NothingOlderThanTls12IsSpoken) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    RawClient client(version);
    TlsFilter server(Server(ClientAuth::kNo), Side::kAccepts);
    client.Exchange(server);
    EXPECT_EQ(server.state(), State::kFailed);
    EXPECT_EQ(server.error(), "TLS: unsupported protocol");
  }
}

TEST_F(TlsFilterTest, RenegotiationIsRefused) {
  RawClient client(TLS1_2_VERSION);
  TlsFilter server(Server(ClientAuth::kNo), Side::kAccepts);
  client.Exchange(server);
  ASSERT_EQ(server.state(), State::kOpen);
  SSL_write(client.ssl(), "before", 6);
  client.Exchange(server);
  EXPECT_EQ(client.received, "before");
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  SSL_do_handshake(client.ssl());
  client.Exchange(server);
  EXPECT_EQ(ERR_GET_REASON(client.failed_with), SSL_R_NO_RENEGOTIATION);
}

TEST_F(TlsFilterTest, RenewedKeysAreFollowed) {
  RawClient client(TLS1_3_VERSION);
  TlsFilter server(Server(ClientAuth::kNo), Side::kAccepts);
  client.Exchange(server);
  ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  SSL_write(client.ssl(), "after", 5);
  client.Exchange(server);
  EXPECT_EQ(client.received, "after");
  EXPECT_EQ(server.state(), State::kOpen);
}

}  // namespace
}  // namespace cistern::net
