// Peer connections with TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/peer_fixture.h"
#include "tests/support/test_certificates.h"

namespace cistern::cluster {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::unique_ptr<net::TlsSource> Source(const TestCertificate& own, const std::string& ca) {
  auto source = net::TlsSource::Load({own.cert, own.key, ca, net::ClientAuth::kYes});
  EXPECT_TRUE(source) << source.error();
  return std::move(*source);
}

class PeerTlsTest : public PeerTest {
 protected:
  PeerTlsTest() { server.set_tls(*serving_); }
  // The sources go before the nodes, which must not try again then.
  ~PeerTlsTest() override {
    OnLoop(asker.loop, [this] { asker.link->Stop(); });
    server.Close();
  }

  const TestAuthority authority_;
  const TestAuthority stranger_{"stranger"};
  const std::unique_ptr<net::TlsSource> serving_ = Source(authority_.Issue("b"), authority_.ca());
  const std::unique_ptr<net::TlsSource> asking_ = Source(authority_.Issue("a"), authority_.ca());
  // They trust our authority, so that the other side alone is left to refuse.
  const std::unique_ptr<net::TlsSource> foreign_ = Source(stranger_.Issue("x"), authority_.ca());
};

TEST_F(PeerTlsTest, NodesOfOneAuthorityTalk) {
  asker.config.tls = asking_.get();
  Join();
  EXPECT_EQ(asker.Fetch("user:42")->Value(), "value of user:42");
}

TEST_F(PeerTlsTest, LargeValuesStayWhole) {
  std::string large(size_t{5} << 20, '\0');
  for (size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>((i * 2654435761u) >> 13);
  server.service.get = [&](const PeerGetRequest&, const FakeService::GetDone& done) {
    done->Done(Found(large));
  };
  asker.config.tls = asking_.get();
  Join();
  EXPECT_TRUE(asker.Fetch("k")->Value() == large);
}

TEST_F(PeerTlsTest, NodeOfAForeignAuthorityIsRefused) {
  asker.config.tls = foreign_.get();
  asker.Dial(server.Open());
  EXPECT_THAT(server.closed.Await(1)[0], StartsWith("TLS: certificate verify failed"));
  EXPECT_THAT(asker.downs.Await(1)[0], HasSubstr("alert"));
  EXPECT_EQ(server.heard.size(), 0U);
}

TEST_F(PeerTlsTest, ServerOfAForeignAuthorityIsSaidNothing) {
  server.set_tls(*foreign_);
  asker.config.tls = asking_.get();
  asker.Dial(server.Open());
  EXPECT_THAT(asker.downs.Await(1)[0], StartsWith("TLS: certificate verify failed"));
  server.Close();
  EXPECT_EQ(server.heard.size(), 0U);
}

TEST_F(PeerTlsTest, NodeWithoutTlsIsRefused) {
  asker.Dial(server.Open());
  EXPECT_THAT(server.closed.Await(1)[0], StartsWith("TLS: "));
  asker.downs.Await(1);
  EXPECT_TRUE(asker.IsUnreachable());
}

TEST_F(PeerTlsTest, LinksOutliveAReload) {
  asker.config.tls = asking_.get();
  Join();
  asker.Fetch("before")->Value();
  authority_.Issue("a");
  authority_.Issue("b");
  ASSERT_TRUE(serving_->Reload());
  ASSERT_TRUE(asking_->Reload());
  EXPECT_EQ(asker.Fetch("after")->Value(), "value of after");
  EXPECT_EQ(asker.downs.size(), 0U);
}

}  // namespace
}  // namespace cistern::cluster
