#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "server/config/load.h"
#include "tests/support/test_certificates.h"

namespace cistern::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

Config Parse(const std::string& text) {
  auto loaded = ParseConfig(text, "/etc/cistern/cistern.toml");
  EXPECT_TRUE(loaded) << FormatErrors(loaded.error());
  return loaded.value_or(Config());
}

std::string HostName() {
  std::array<char, 256> name{};
  EXPECT_EQ(gethostname(name.data(), name.size() - 1), 0);
  return name.data();
}

TEST(GoodConfigTest, AnEmptyFileIsDefaultsAndTheHostsName) {
  Config wanted = DefaultConfig();
  wanted.node.name = HostName();
  wanted.cluster.advertise = "127.0.0.1:16379";
  EXPECT_EQ(Parse(""), wanted);
}

TEST(GoodConfigTest, DefaultsAreThoseOfTheDesign) {
  const Config config = DefaultConfig();
  EXPECT_THAT(config.server.listen, ElementsAre("127.0.0.1:6379"));
  EXPECT_EQ(config.server.max_clients, 10000);
  EXPECT_EQ(config.server.memory, 1ULL << 30);
  EXPECT_EQ(config.server.request_timeout, seconds(5));
  EXPECT_EQ(config.server.output_limit, 64ULL << 20);
  EXPECT_TRUE(config.server.protected_mode);
  EXPECT_EQ(config.log.level, LogLevel::kInfo);
  EXPECT_EQ(config.cluster.longest_lease, seconds(1));
  const GroupConfig group = DefaultGroup();
  EXPECT_TRUE(group.strip_prefix);
  EXPECT_EQ(group.hot_sample, 10);
  EXPECT_DOUBLE_EQ(group.hot_share, 0.125);
  EXPECT_EQ(group.max_value, 16ULL << 20);
  EXPECT_EQ(group.backend.timeout, milliseconds(500));
}

TEST(GoodConfigTest, EveryKindOfValueArrives) {
  const Config config = Parse(R"(
node.name = "a"
[server]
listen = ["127.0.0.1:0", "[::1]:7000", "unix:redis.sock"]
workers = 0x4
memory = "256MiB"
protected_mode = false
local_only_prefixes = []
[log]
level = "warn"
format = "json"
file = "../log/x.log"
[[group]]
name = "users"
prefix = "user:"
memory = "64MiB"
ttl = "10m"
ttl_jitter = 0
hot_share = 0.5
[group.backend]
type = "sqlite"
path = "data/users.db"
query = "SELECT body FROM users WHERE id = ?1"
[[group]]
name = "rest"
backend = { type = "redis", address = "db.example:6379", user = "u", password = "p" }
)");
  EXPECT_THAT(config.server.listen,
              ElementsAre("127.0.0.1:0", "[::1]:7000", "unix:/etc/cistern/redis.sock"));
  EXPECT_EQ(config.server.workers, 4);
  EXPECT_EQ(config.server.memory, 256ULL << 20);
  EXPECT_FALSE(config.server.protected_mode);
  EXPECT_TRUE(config.server.local_only_prefixes.empty());
  EXPECT_EQ(config.log.level, LogLevel::kWarn);
  EXPECT_EQ(config.log.format, LogFormat::kJson);
  EXPECT_EQ(config.log.file, "/etc/log/x.log");
  ASSERT_EQ(config.groups.size(), 2U);
  EXPECT_EQ(config.groups[0].ttl, minutes(10));
  EXPECT_DOUBLE_EQ(config.groups[0].ttl_jitter, 0);
  EXPECT_DOUBLE_EQ(config.groups[0].hot_share, 0.5);
  EXPECT_EQ(config.groups[0].backend.type, BackendType::kSqlite);
  EXPECT_EQ(config.groups[0].backend.path, "/etc/cistern/data/users.db");
  EXPECT_EQ(config.groups[1].prefix, "");
  EXPECT_EQ(config.groups[1].backend.address, "db.example:6379");
  EXPECT_EQ(config.groups[1].ttl, DefaultGroup().ttl);
}

TEST(GoodConfigTest, AGroupWithoutBackendStoresAndKeepsNoCopies) {
  const Config config = Parse("[[group]]\nname = \"x\"\n");
  EXPECT_EQ(config.groups[0].writes, WriteMode::kCache);
  EXPECT_EQ(config.groups[0].hot_sample, 0);
  const Config told = Parse("[[group]]\nname = \"x\"\nhot_sample = 5\n");
  EXPECT_EQ(told.groups[0].hot_sample, 5);
}

TEST(GoodConfigTest, AGroupWithBackendRejectsWrites) {
  const Config config =
      Parse("[[group]]\nname = \"x\"\nbackend = {type = \"redis\", address = \"h:1\"}\n");
  EXPECT_EQ(config.groups[0].writes, WriteMode::kReject);
  EXPECT_EQ(config.groups[0].hot_sample, 10);
}

TEST(GoodConfigTest, ANodeAdvertisesWhatTheListSays) {
  const Config config = Parse(R"(
node.name = "b"
[cluster]
listen = "127.0.0.1:5"
nodes = [ { name = "a", peer = "h:1", client = "h:2" }, { name = "b", peer = "h:3", client = "h:4" } ]
)");
  EXPECT_EQ(config.cluster.advertise, "h:3");
  EXPECT_EQ(config.cluster.nodes[0].weight, 1);
}

TEST(GoodConfigTest, BeyondLoopbackAPasswordAndASecretAreEnough) {
  Parse(R"(
server = { listen = ["0.0.0.0:6379"], password = "p" }
admin.listen = "0.0.0.0:9379"
cluster = { listen = "0.0.0.0:16379", secret = "s" }
)");
}

TEST(GoodConfigTest, CertificatesAreReadAndProtectWhereTheyAreAskedFor) {
  const TestAuthority authority;
  const TestCertificate node = authority.Issue("node");
  const std::string tls = "tls = { cert = \"" + node.cert + "\", key = \"" + node.key +
                          "\", ca = \"" + authority.ca() + "\"";
  const Config config =
      Parse("[server]\nlisten = [\"127.0.0.1:0\", \"tls:0.0.0.0:6380\"]\n" + tls +
            ", client_auth = \"yes\" }\n[cluster]\nlisten = \"0.0.0.0:16379\"\n" + tls + " }\n");
  EXPECT_EQ(config.server.tls.cert, node.cert);
  EXPECT_EQ(config.server.tls.client_auth, net::ClientAuth::kYes);
  EXPECT_EQ(config.server.tls.handshake_timeout, std::chrono::seconds(10));
  EXPECT_EQ(config.cluster.tls.ca, authority.ca());
  EXPECT_TRUE(config.cluster.tls.is_on());
  EXPECT_FALSE(DefaultConfig().server.tls.is_on());
}

TEST(GoodConfigTest, ManyListenersMayTakeAnyFreePort) {
  Parse("server.listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\nadmin.listen = \"127.0.0.1:0\"\n");
}

TEST(GoodConfigTest, LoadingReadsTheFileAndItsFolder) {
  const std::string folder = testing::TempDir();
  const std::string path = folder + "cistern_good_config_test.toml";
  std::ofstream(path) << "log.file = \"x.log\"\n";
  const auto loaded = LoadConfig(path);
  ASSERT_TRUE(loaded) << FormatErrors(loaded.error());
  EXPECT_EQ(loaded->log.file, folder + "x.log");
  unlink(path.c_str());
}

TEST(GoodConfigTest, AFileThatCannotBeReadIsAnErrorWithoutPosition) {
  const auto missing = LoadConfig("/no/such/file.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(FormatErrors(missing.error()),
            "/no/such/file.toml: cannot be read: No such file or directory\n");
  const auto folder = LoadConfig("/");
  ASSERT_FALSE(folder);
  EXPECT_THAT(FormatErrors(folder.error()), HasSubstr("it is not a file"));
}

}  // namespace
}  // namespace cistern::server
