// A whole node whose clients come in TLS.
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <cstring>

#include "tests/server/node_fixture.h"
#include "tests/support/test_certificates.h"

namespace cistern::server {
namespace {

using ::testing::StartsWith;

// A client that blocks, and takes whatever certificate it sees.
class TlsClient {
 public:
  explicit TlsClient(uint16_t port)
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
        ssl_(SSL_new(context_.get()), &SSL_free),
        fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    SSL_set_fd(ssl_.get(), fd_);
    EXPECT_EQ(SSL_connect(ssl_.get()), 1);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() {
    SSL_shutdown(ssl_.get());
    close(fd_);
  }

  // `bytes` are what the reply is expected to have.
  std::string Ask(const std::string& request, size_t bytes) {
    EXPECT_GT(SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())), 0);
    std::string reply;
    char room[16384];
    while (reply.size() < bytes) {
      const int got = SSL_read(ssl_.get(), room, sizeof room);
      if (got <= 0) break;
      reply.append(room, static_cast<size_t>(got));
    }
    return reply;
  }
  long serial() const {
    const std::unique_ptr<X509, decltype(&X509_free)> seen(SSL_get1_peer_certificate(ssl_.get()),
                                                           &X509_free);
    return ASN1_INTEGER_get(X509_get0_serialNumber(seen.get()));
  }

 private:
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  const int fd_;
};

class NodeTlsTest : public ::testing::Test {
 protected:
  Config WithTls() const {
    Config config = NodeConfigForTests();
    config.server.listen = {"tls:127.0.0.1:0", "127.0.0.1:0"};
    config.server.tls.cert = files_.cert;
    config.server.tls.key = files_.key;
    return config;
  }
  static uint16_t TlsPort(NodeFixture& fixture) { return fixture.node().listening()[0].port; }

  const TestAuthority authority_;
  const TestCertificate files_ = authority_.Issue("node");
};

TEST_F(NodeTlsTest, RequestsAreAnsweredInTls) {
  NodeFixture fixture(WithTls());
  EXPECT_TRUE(fixture.node().listening()[0].tls);
  EXPECT_FALSE(fixture.node().listening()[1].tls);
  TlsClient client(TlsPort(fixture));
  EXPECT_EQ(client.Ask("SET c:k v\r\n", 5), "+OK\r\n");
  EXPECT_EQ(client.Ask("GET c:k\r\nPING\r\n", 14), "$1\r\nv\r\n+PONG\r\n");
}

TEST_F(NodeTlsTest, ReplyOfManyMegabytesStaysWhole) {
  NodeFixture fixture(WithTls());
  TlsClient client(TlsPort(fixture));
  std::string value(size_t{6} << 20, '\0');
  for (size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<char>((i * 2654435761u) >> 13);
  const std::string head = "$" + std::to_string(value.size()) + "\r\n";
  EXPECT_EQ(client.Ask("*3\r\n$3\r\nSET\r\n$3\r\nc:k\r\n" + head + value + "\r\n", 5), "+OK\r\n");
  const std::string wanted = head + value + "\r\n";
  EXPECT_TRUE(client.Ask("GET c:k\r\n", wanted.size()) == wanted);
}

TEST_F(NodeTlsTest, ReloadedCertificateIsForThoseWhoConnectThen) {
  NodeFixture fixture(WithTls());
  TlsClient before(TlsPort(fixture));
  authority_.Issue("node");
  ASSERT_TRUE(fixture.node().ReloadCertificates());
  const TlsClient after(TlsPort(fixture));
  EXPECT_NE(after.serial(), before.serial());
  EXPECT_EQ(before.Ask("PING\r\n", 7), "+PONG\r\n");
}

TEST_F(NodeTlsTest, FailedReloadKeepsTheCertificate) {
  NodeFixture fixture(WithTls());
  const TlsClient before(TlsPort(fixture));
  TestAuthority::Write(files_.cert, "");
  EXPECT_FALSE(fixture.node().ReloadCertificates());
  const TlsClient after(TlsPort(fixture));
  EXPECT_EQ(after.serial(), before.serial());
}

TEST_F(NodeTlsTest, NodeWithoutTlsHasNothingToReload) {
  NodeFixture fixture;
  EXPECT_TRUE(fixture.node().ReloadCertificates());
}

TEST_F(NodeTlsTest, NodeWithABadFileDoesNotStart) {
  Config config = WithTls();
  config.server.tls.key = "/no/such.key";
  auto node = Node::Start(config);
  ASSERT_FALSE(node.has_value());
  EXPECT_EQ(node.error(), "server.tls: /no/such.key: No such file or directory");

  config = WithTls();
  config.server.tls = {};
  node = Node::Start(config);
  ASSERT_FALSE(node.has_value());
  EXPECT_THAT(node.error(), StartsWith("server.listen: tls:127.0.0.1:0: "));
}

TEST_F(NodeTlsTest, ClientsInTlsAreChargedForIt) {
  NodeFixture fixture(WithTls());
  const auto charged = [&] {
    return fixture.node().stats().Read().memory[static_cast<size_t>(cache::ChargeKind::kClients)];
  };
  const uint64_t nobody = charged();
  TlsClient client(TlsPort(fixture));
  client.Ask("PING\r\n", 7);
  EXPECT_GT(charged() - nobody, 16'000U);
}

}  // namespace
}  // namespace cistern::server
