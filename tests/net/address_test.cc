#include "net/address.h"

#include <gtest/gtest.h>

namespace cistern::net {
namespace {

TEST(AddressTest, ParsesHostAndPort) {
  EXPECT_EQ(Address::Parse("127.0.0.1:6379"), Address::Tcp("127.0.0.1", 6379));
  EXPECT_EQ(Address::Parse("db.example.org:0"), Address::Tcp("db.example.org", 0));
  EXPECT_EQ(Address::Parse("[::1]:65535"), Address::Tcp("::1", 65535));
}

TEST(AddressTest, ParsesUnixPath) {
  EXPECT_EQ(Address::Parse("unix:/run/a b:1.sock"), Address::Unix("/run/a b:1.sock"));
}

TEST(AddressTest, TextIsParsedBackToTheSame) {
  for (const char* text : {"127.0.0.1:6379", "[fe80::1]:1", "unix:/run/x.sock", "localhost:80"}) {
    const auto address = Address::Parse(text);
    ASSERT_TRUE(address.has_value()) << address.error();
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(AddressTest, RefusesWhatIsNoAddress) {
  const std::string long_path(200, 'x');
  for (const std::string& text :
       {std::string(""), std::string("host"), std::string(":6379"), std::string("host:"),
        std::string("host:-1"), std::string("host:+1"), std::string("host:65536"),
        std::string("host:1x"), std::string("::1:6379"), std::string("[1.2.3.4]:1"),
        std::string("unix:"), "unix:/" + long_path, std::string("a\0b:1", 5)}) {
    EXPECT_FALSE(Address::Parse(text).has_value()) << text;
  }
}

TEST(AddressTest, ErrorNamesTheTextAndTheTrouble) {
  EXPECT_EQ(Address::Parse("db:99999").error(), "address 'db:99999': the port is not 0 to 65535");
}

TEST(AddressTest, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* text :
       {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "[::ffff:127.0.0.1]:1", "unix:/x"})
    EXPECT_TRUE(Address::Parse(text)->is_loopback()) << text;
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "128.0.0.1:1"})
    EXPECT_FALSE(Address::Parse(text)->is_loopback()) << text;
}

TEST(ListenAddressTest, TlsStandsInFrontOfHostAndPort) {
  const auto plain = ListenAddress::Parse("127.0.0.1:6379");
  ASSERT_TRUE(plain.has_value());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->ToString(), "127.0.0.1:6379");
  const auto secret = ListenAddress::Parse("tls:[::1]:6380");
  ASSERT_TRUE(secret.has_value());
  EXPECT_TRUE(secret->tls);
  EXPECT_EQ(secret->host, "::1");
  EXPECT_EQ(secret->port, 6380);
  EXPECT_EQ(secret->ToString(), "tls:[::1]:6380");
}

TEST(ListenAddressTest, TlsStandsNowhereElse) {
  for (const char* text : {"tls:", "tls:6379", "tls:unix:/run/x", "tls:tls:h:1", "TLS:h:1"})
    EXPECT_FALSE(ListenAddress::Parse(text).has_value()) << text;
  EXPECT_FALSE(Address::Parse("tls:127.0.0.1:6379").has_value());
  EXPECT_TRUE(ListenAddress::Parse("unix:/run/x").has_value());
}

}  // namespace
}  // namespace cistern::net
