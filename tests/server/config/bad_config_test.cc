// Everything that can be wrong with a configuration: the place and the words of each error.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "server/config/load.h"

namespace cistern::server {
namespace {

struct Bad {
  const char* name;
  std::string text;
  std::string errors;  // "line:column: message", one a line

  friend void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }
};

// A sqlite group, in lines 1 to 6, that is right; more rows of its backend can follow.
const std::string kSqlite =
    "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"sqlite\"\npath = \"x.db\"\n"
    "query = \"SELECT 1\"\n";
const std::string kSelf = "node.name = \"a\"\n";  // line 1

std::string ManyGroups(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "[[group]]\n";
  return text;
}

// clang-format off
const Bad kBad[] = {
    {"SyntaxUnfinishedLine", "[server]\nworkers = \n",
     R"(2:11: syntax: Error while parsing key-value pair: expected value, saw '\n')" "\n"},
    {"SyntaxFirstErrorOnly", "[server\nworkers = = 1\n",
     R"(1:8: syntax: Error while parsing table header: expected ']', saw '\n')" "\n"},
    {"SyntaxKeyTwice", "[server]\nworkers = 1\nworkers = 2\n",
     R"(3:11: syntax: Error while parsing key-value pair: cannot redefine existing integer 'workers')" "\n"},
    {"SyntaxTableTwice", "[server]\n[log]\n[server]\n",
     R"(3:1: syntax: Error while parsing table header: cannot redefine existing table 'server')" "\n"},
    {"SyntaxOpenString", "[node]\nname = \"a\n",
     R"(2:10: syntax: Error while parsing string: unescaped control characters other than TAB (U+0009) are explicitly prohibited)" "\n"},
    {"SyntaxNoKeyInHeader", "[server]\n[( group]\n",
     "2:2: syntax: Error while parsing key: expected bare key starting character or string delimiter, saw '('\n"},
    {"SyntaxZeroByteInHeader", std::string("[server]\n[\0\0]\n", 14),
     "2:2: syntax: Error while parsing key: expected bare key starting character or string delimiter, saw '\\u0000'\n"},
    {"SyntaxLetterInHeader", "[server]\n[s\u048bls]\n",
     "2:3: syntax: Error while parsing table header: expected ']', saw '\u048b'\n"},
    {"SyntaxNotUtf8", "[node]\nname = \"\xff\"\n",
     R"(2:8: syntax: Encountered invalid utf-8 sequence)" "\n"},
    {"UnknownKeyIsSuggested", "[[group]]\nname = \"g\"\nhot_leese = \"1s\"\n",
     R"(3:1: unknown key 'hot_leese' in 'group'; did you mean 'hot_lease'?)" "\n"},
    {"UnknownKeyBelongsElsewhere", "[node]\nmax_clients = 5\n",
     R"(2:1: unknown key 'max_clients' in 'node'; it belongs to [server])" "\n"},
    {"UnknownKeyLikeNothing", "[server]\n  frobnicate = 5\n",
     R"(2:3: unknown key 'frobnicate' in 'server'; remove it, or see 'cistern help-config' for what there is)" "\n"},
    {"UnknownTableIsSuggested", "[sever]\nworkers = 1\n",
     R"(1:2: unknown key 'sever'; did you mean 'server'?)" "\n"},
    {"UnknownTopLevelKey", "memory = \"1GiB\"\n",
     R"(1:1: unknown key 'memory'; it belongs to [server])" "\n"},
    {"UnknownBackendKey", kSqlite + "  conections = 3\n",
     R"(7:3: unknown key 'conections' in 'group.backend'; did you mean 'connections'?)" "\n"},
    {"UnknownNodeKey", kSelf + "[cluster]\nnodes = [{name = \"a\", peer = \"h:1\", client = \"h:2\", wieght = 2}]\n",
     R"(3:53: unknown key 'wieght' in 'cluster.nodes'; did you mean 'weight'?)" "\n"},
    {"IntegerIsString", "[server]\nworkers = \"4\"\n",
     R"(2:11: server.workers must be an integer such as 0; this is a string)" "\n"},
    {"IntegerIsReal", "[server]\nworkers = 4.0\n",
     R"(2:11: server.workers must be an integer such as 0; this is a real)" "\n"},
    {"StringIsInteger", "[node]\nname = 5\n",
     R"(2:8: node.name must be a name; this is an integer)" "\n"},
    {"BoolIsString", "[server]\nprotected_mode = \"no\"\n",
     R"(2:18: server.protected_mode must be a bool such as true; this is a string)" "\n"},
    {"RealIsString", "[[group]]\nname = \"g\"\nttl_jitter = \"0.1\"\n",
     R"(3:14: group.ttl_jitter must be a real such as 0.1; this is a string)" "\n"},
    {"DurationIsInteger", "[server]\nidle_timeout = 5\n",
     R"(2:16: server.idle_timeout must be a duration such as "0s"; this is an integer)" "\n"},
    {"SizeIsInteger", "[server]\nmemory = 1073741824\n",
     R"(2:10: server.memory must be a size such as "1GiB"; this is an integer)" "\n"},
    {"ListIsString", "[server]\nlisten = \"127.0.0.1:6379\"\n",
     R"(2:10: server.listen must be a list of addresses such as ["127.0.0.1:6379"]; this is a string)" "\n"},
    {"ListHoldsInteger", "[server]\nlisten = [\"127.0.0.1:1\", 6379]\n",
     R"(2:26: server.listen holds strings only; this is an integer)" "\n"},
    {"EnumIsInteger", "[log]\nlevel = 3\n",
     R"(2:9: log.level must be one of debug, info, warn, error; this is an integer)" "\n"},
    {"EnumIsDate", "[log]\nlevel = 1979-05-27\n",
     R"(2:9: log.level must be one of debug, info, warn, error; this is a date or time)" "\n"},
    {"SectionIsString", "log = \"info\"\n",
     R"(1:7: log is a table; write [log])" "\n"},
    {"SectionIsListOfTables", "[[server]]\nworkers = 1\n",
     R"(1:1: server is a table; write [server])" "\n"},
    {"GroupIsOneTable", "[group]\nname = \"g\"\n",
     R"(1:1: group is a list of tables; write [[group]])" "\n"},
    {"NodesAreStrings", "[cluster]\nnodes = [\"a\", \"b\"]\n",
     R"(2:9: cluster.nodes is a list of tables; write [[cluster.nodes]])" "\n"},
    {"DurationWithoutUnit", "[server]\nidle_timeout = \"5\"\n",
     R"(2:16: server.idle_timeout must be a duration such as "0s"; '5' is not; a unit is needed: us ms s m h d)" "\n"},
    {"DurationWithBlank", "[server]\nidle_timeout = \"5 s\"\n",
     R"(2:16: server.idle_timeout must be a duration such as "0s"; '5 s' is not; the units are us ms s m h d)" "\n"},
    {"DurationWithFraction", "[server]\nidle_timeout = \"1.5s\"\n",
     R"(2:16: server.idle_timeout must be a duration such as "0s"; '1.5s' is not; the units are us ms s m h d)" "\n"},
    {"DurationNegative", "[server]\nidle_timeout = \"-5s\"\n",
     R"(2:16: server.idle_timeout must be a duration such as "0s"; '-5s' is not; the units are us ms s m h d)" "\n"},
    {"DurationWithUnknownUnit", "[server]\nidle_timeout = \"5min\"\n",
     R"(2:16: server.idle_timeout must be a duration such as "0s"; '5min' is not; the units are us ms s m h d)" "\n"},
    {"DurationEmpty", "[server]\nidle_timeout = \"\"\n",
     R"(2:16: server.idle_timeout must be a duration such as "0s"; '' is not; a unit is needed: us ms s m h d)" "\n"},
    {"SizeWithoutUnit", "[server]\nmemory = \"1073741824\"\n",
     R"(2:10: server.memory must be a size such as "1GiB"; '1073741824' is not; a unit is needed: B KiB MiB GiB TiB)" "\n"},
    {"SizeInThousands", "[server]\nmemory = \"1GB\"\n",
     R"(2:10: server.memory must be a size such as "1GiB"; '1GB' is not; the units are B KiB MiB GiB TiB)" "\n"},
    {"SizeBeyondAllBounds", "[server]\nmemory = \"99999999999TiB\"\n",
     R"(2:10: server.memory must be a size such as "1GiB"; '99999999999TiB' is not; the units are B KiB MiB GiB TiB)" "\n"},
    {"IntegerTooSmall", "[server]\nmax_clients = 0\n",
     R"(2:15: server.max_clients is 0; choose from 1..1000000)" "\n"},
    {"IntegerTooLarge", "[server]\nworkers = 257\n",
     R"(2:11: server.workers is 257; choose from 0..256)" "\n"},
    {"RealTooLarge", "[[group]]\nname = \"g\"\nhot_share = 1.01\n",
     R"(3:13: group.hot_share is 1.01; choose from 0..1)" "\n"},
    {"RealIsNotANumber", "[[group]]\nname = \"g\"\nhot_share = nan\n",
     R"(3:13: group.hot_share is nan; choose from 0..1)" "\n"},
    {"DurationTooLong", "[cluster]\nlongest_lease = \"11s\"\n",
     R"(2:17: cluster.longest_lease is 11s; choose from 10ms..10s)" "\n"},
    {"DurationTooShort", "[server]\nrequest_timeout = \"0s\"\n",
     R"(2:19: server.request_timeout is 0s; choose from 1ms..1h)" "\n"},
    {"SizeTooSmall", "[server]\nmemory = \"1KiB\"\n",
     R"(2:10: server.memory is 1KiB; choose from 1MiB..64TiB)" "\n"},
    {"NameIsEmpty", "[node]\nname = \"\"\n",
     R"(2:8: node.name is empty; write a name)" "\n"},
    {"NameIsTooLong", "[node]\nname = \"" + std::string(65, 'x') + "\"\n",
     R"(2:8: node.name has 65 bytes; choose from 1..64)" "\n"},
    {"NameWithBlank", "[node]\nname = \"node a\"\n",
     R"(2:8: node.name is 'node a'; use letters, digits, - _ and . only)" "\n"},
    {"NoListenerAtAll", "[server]\nlisten = []\n",
     R"(2:10: server.listen has 0 elements; choose from 1..16)" "\n"},
    {"EmptyLocalPrefix", "[server]\nlocal_only_prefixes = [\"__\", \"\"]\n",
     R"(2:30: server.local_only_prefixes holds an empty string; leave it out)" "\n"},
    {"UnknownWord", "[log]\nlevel = \"loud\"\n",
     R"(2:9: log.level knows no 'loud'; choose debug, info, warn, error)" "\n"},
    {"WritesThroughComesLater", "[[group]]\nname = \"g\"\nwrites = \"through\"\n",
     R"(3:10: group.writes 'through' is not available yet; choose reject, cache)" "\n"},
    {"UnknownPolicy", "[server]\npolicy = \"mru\"\n",
     R"(2:10: server.policy knows no 'mru'; choose adaptive, s3fifo, lru, lfu, fifo, arc)" "\n"},
    {"PolicyOfSharedMemory", "[[group]]\nname = \"g\"\npolicy = \"lru\"\n",
     R"(3:10: group.policy is of no use without group.memory: the group shares what server.policy rules; add memory, or remove it)" "\n"},
    {"BackendComesLater", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"postgres\"\ndsn = \"x\"\n",
     R"(4:8: group.backend.type 'postgres' is not available yet; choose none, sqlite, redis)" "\n"
     R"(5:1: unknown key 'dsn' in 'group.backend'; remove it, or see 'cistern help-config' for what there is)" "\n"},
    {"ListenWithoutPort", "[server]\nlisten = [\"127.0.0.1\"]\n",
     R"(2:11: server.listen has the address '127.0.0.1': expected host:port)" "\n"},
    {"ListenWithBadPort", "[server]\nlisten = [\"127.0.0.1:70000\"]\n",
     R"(2:11: server.listen has the address '127.0.0.1:70000': the port is not 0 to 65535)" "\n"},
    {"ListenOnStar", "[server]\nlisten = [\"*:6379\"]\n",
     R"(2:11: server.listen has the address '*:6379': the host is neither a name nor an IP address; 0.0.0.0 is every interface)" "\n"},
    {"TlsWithoutCertificate", "[server]\nlisten = [\"tls:127.0.0.1:6380\"]\n",
     R"(2:11: 'tls:127.0.0.1:6380' has no certificate; set server.tls = { cert = ..., key = ... })" "\n"},
    {"TlsWithoutKey", "[server]\nlisten = [\"tls:127.0.0.1:6380\"]\n[server.tls]\ncert = \"x.pem\"\n",
     R"(3:1: server.tls.key is missing; add key = "a file in PEM form")" "\n"},
    {"TlsClientsWithoutAuthority", "[server]\nlisten = [\"tls:127.0.0.1:6380\"]\ntls = { cert = \"x.pem\", key = \"x.key\", client_auth = \"yes\" }\n",
     R"(3:7: server.tls.ca is missing; add ca = "a file in PEM form")" "\n"},
    {"TlsCertificateNotThere", "[server]\nlisten = [\"tls:127.0.0.1:6380\"]\ntls = { cert = \"/no/x.pem\", key = \"x.key\" }\n",
     R"(3:16: server.tls.cert: /no/x.pem: No such file or directory)" "\n"},
    {"TlsOfNoUse", "[server.tls]\ncert = \"no/x.pem\"\n",
     R"(1:1: server.tls is of no use: no address of server.listen has "tls:" in front)" "\n"
     R"(1:1: server.tls.key is missing; add key = "a file in PEM form")" "\n"},
    {"TlsAsksClientsForSomethingElse", "[server]\nlisten = [\"tls:127.0.0.1:6380\"]\ntls = { client_auth = \"maybe\" }\n",
     R"(3:7: server.tls.cert is missing; add cert = "a file in PEM form")" "\n"
     R"(3:23: server.tls.client_auth knows no 'maybe'; choose no, optional, yes)" "\n"},
    {"TlsOnUnixSocket", "[server]\nlisten = [\"tls:unix:/run/x\"]\n",
     R"(2:11: server.listen has the address 'tls:unix:/run/x': a unix socket takes no TLS)" "\n"},
    {"TlsInFrontOfThePeerPort", "[cluster]\nlisten = \"tls:127.0.0.1:1\"\n",
     R"(2:10: cluster.listen takes no "tls:"; write "host:port")" "\n"},
    {"TlsAndPlainAtOnePort", "[server]\nlisten = [\"127.0.0.1:7000\", \"tls:127.0.0.1:7000\"]\n",
     R"(2:29: the address '127.0.0.1:7000' is taken already, in line 2; choose another)" "\n"
     R"(2:29: 'tls:127.0.0.1:7000' has no certificate; set server.tls = { cert = ..., key = ... })" "\n"},
    {"PeerTlsWithoutAuthority", "[cluster.tls]\ncert = \"x.pem\"\nkey = \"x.key\"\n",
     R"(1:1: cluster.tls.ca is missing; add ca = "a file in PEM form")" "\n"},
    {"TlsWithOptionalCertificatesProtectsNothing", "[server]\nlisten = [\"tls:0.0.0.0:6380\"]\n[server.tls]\nclient_auth = \"optional\"\n",
     R"(2:11: 'tls:0.0.0.0:6380' can be reached by other machines, and nothing is asked of them; set server.password, listen on 127.0.0.1, or set server.protected_mode = false)" "\n"
     R"(3:1: server.tls.cert is missing; add cert = "a file in PEM form")" "\n"},
    {"ListenIpv6WithoutBrackets", "[server]\nlisten = [\"::1:6379\"]\n",
     R"(2:11: server.listen has the address '::1:6379': an IPv6 address stands in brackets: [::1]:6379)" "\n"},
    {"AdminOnUnixSocket", "[admin]\nlisten = \"unix:/run/x\"\n",
     R"(2:10: admin.listen takes no unix socket; write "host:port")" "\n"},
    {"ClusterListensNowhere", "[cluster]\nlisten = \"\"\n",
     R"(2:10: cluster.listen is empty; write an address such as "127.0.0.1:16379")" "\n"},
    {"DialPortZero", "[cluster]\nadvertise = \"10.0.0.1:0\"\n",
     R"(2:13: cluster.advertise has the address '10.0.0.1:0': nobody can connect to port 0)" "\n"},
    {"UnixSocketPathTooLong", "[server]\nlisten = [\"unix:/" + std::string(110, 'x') + "\"]\n",
     R"(2:11: server.listen has the address 'unix:/)" + std::string(110, 'x') + R"(': the path is too long)" "\n"},
    {"SameAddressTwice", "[server]\nlisten = [\"127.0.0.1:7000\"]\n[admin]\nlisten = \"127.0.0.1:7000\"\n",
     R"(4:10: the address '127.0.0.1:7000' is taken already, in line 2; choose another)" "\n"},
    {"ListensToAllWithoutPassword", "[server]\nlisten = [\"127.0.0.1:1\",\n  \"0.0.0.0:6379\"]\n",
     R"(3:3: '0.0.0.0:6379' can be reached by other machines, and nothing is asked of them; set server.password, listen on 127.0.0.1, or set server.protected_mode = false)" "\n"},
    {"AdminListensToAllWithoutPassword", "[admin]\nlisten = \"[::]:9379\"\n",
     R"(2:10: '[::]:9379' can be reached by other machines, and nothing is asked of them; set server.password, listen on 127.0.0.1, or set server.protected_mode = false)" "\n"},
    {"ClusterListensToAllWithoutSecret", "server.password = \"p\"\n[cluster]\nlisten = \"10.0.0.1:16379\"\n",
     R"(3:10: '10.0.0.1:16379' can be reached by other machines, and nothing is asked of them; set cluster.secret, listen on 127.0.0.1, or set server.protected_mode = false)" "\n"},
    {"ThisNodeIsNotListed", kSelf + "[cluster]\nnodes = [{name = \"b\", peer = \"h:1\", client = \"h:2\"}]\n",
     R"(3:9: cluster.nodes is without this node, 'a'; add it, or set node.name)" "\n"},
    {"NodeNamedTwice", kSelf + "[cluster]\nnodes = [{name = \"a\", peer = \"h:1\", client = \"h:2\"},\n {name = \"a\", peer = \"h:3\", client = \"h:4\"}]\n",
     R"(4:10: the name 'a' is taken already, in line 3; choose another)" "\n"},
    {"NodesShareAPeerAddress", kSelf + "[cluster]\nnodes = [{name = \"a\", peer = \"h:1\", client = \"h:2\"},\n {name = \"b\", peer = \"h:1\", client = \"h:4\"}]\n",
     R"(4:22: the address 'h:1' is taken already, in line 3; choose another)" "\n"},
    {"NodesClientIsItsPeer", kSelf + "[cluster]\nnodes = [{name = \"a\", peer = \"h:1\", client = \"h:1\"}]\n",
     R"(3:46: the address 'h:1' is taken already, in line 3; choose another)" "\n"},
    {"NodeWithoutName", kSelf + "[[cluster.nodes]]\npeer = \"h:1\"\nclient = \"h:2\"\n",
     R"(2:1: cluster.nodes.name is missing; add a line 'name = ...')" "\n"},
    {"NodeWithoutAddresses", kSelf + "[[cluster.nodes]]\nname = \"a\"\n",
     R"(2:1: cluster.nodes.peer is missing; add a line 'peer = ...')" "\n"
     R"(2:1: cluster.nodes.client is missing; add a line 'client = ...')" "\n"},
    {"AdvertisesWhatTheListDoesNotSay", kSelf + "[cluster]\nadvertise = \"h:9\"\nnodes = [{name = \"a\", peer = \"h:1\", client = \"h:2\"}]\n",
     R"(3:13: cluster.advertise is 'h:9', but cluster.nodes says that this node is at 'h:1'; remove cluster.advertise)" "\n"},
    {"GroupWithoutName", "[[group]]\nprefix = \"x:\"\n",
     R"(1:1: group.name is missing; add a line 'name = ...')" "\n"},
    {"GroupNamedTwice", "[[group]]\nname = \"g\"\n[[group]]\nname = \"g\"\nprefix = \"x:\"\n",
     R"(4:8: the name 'g' is taken already, in line 2; choose another)" "\n"},
    {"GroupsShareAPrefix", "[[group]]\nname = \"g\"\nprefix = \"x:\"\n[[group]]\nname = \"h\"\nprefix = \"x:\"\n",
     R"(6:10: the prefix 'x:' is taken already, in line 3; choose another)" "\n"},
    {"GroupsBothTakeEveryKey", "[[group]]\nname = \"g\"\n\n[[group]]\nname = \"h\"\n",
     R"(4:1: the prefix '' is taken already, in line 1; choose another)" "\n"},
    {"GroupsHaveMoreThanAllMemory", "[server]\nmemory = \"100MiB\"\n[[group]]\nname = \"g\"\nprefix = \"x\"\nmemory = \"60MiB\"\n[[group]]\nname = \"h\"\nmemory = \"60MiB\"\n",
     R"(9:10: the groups up to here have 120MiB of their own, more than server.memory, 100MiB; lower one or raise the other)" "\n"},
    {"LeaseAboveTheLongest", "[[group]]\nname = \"g\"\nhot_lease = \"2s\"\n",
     R"(3:13: group.hot_lease is 2s, longer than cluster.longest_lease, 1s; lower one or raise the other)" "\n"},
    {"NothingCouldBeInIt", "[[group]]\nname = \"g\"\nwrites = \"reject\"\n",
     R"(3:10: group.writes is 'reject' and there is no backend, so nothing could ever be in this group; choose 'cache', or add [group.backend])" "\n"},
    {"BackendWithoutType", "[[group]]\nname = \"g\"\n[group.backend]\npath = \"x.db\"\n",
     R"(3:1: group.backend.type is missing; choose none, sqlite, redis)" "\n"},
    {"SqliteWithoutPath", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"sqlite\"\nquery = \"SELECT 1\"\n",
     R"(3:1: group.backend.path is missing; add a line 'path = ...')" "\n"},
    {"SqliteWithoutQuery", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"sqlite\"\npath = \"x.db\"\n",
     R"(3:1: group.backend.query is missing; add a line 'query = ...')" "\n"},
    {"SqliteWithEmptyPath", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"sqlite\"\npath = \"\"\nquery = \"SELECT 1\"\n",
     R"(5:8: group.backend.path is empty; write a path)" "\n"},
    {"SqliteWithAddress", kSqlite + "address = \"h:1\"\n",
     R"(7:11: group.backend.address does not belong to a backend of type 'sqlite'; remove it)" "\n"},
    {"RedisWithoutAddress", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"redis\"\n",
     R"(3:1: group.backend.address is missing; add a line 'address = ...')" "\n"},
    {"RedisWithQuery", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"redis\"\naddress = \"h:1\"\nquery = \"x\"\n",
     R"(6:9: group.backend.query does not belong to a backend of type 'redis'; remove it)" "\n"},
    {"NoBackendWithPath", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"none\"\npath = \"x\"\n",
     R"(5:8: group.backend.path does not belong to a backend of type 'none'; remove it)" "\n"},
    {"RedisUserWithoutPassword", "[[group]]\nname = \"g\"\n[group.backend]\ntype = \"redis\"\naddress = \"h:1\"\nuser = \"u\"\n",
     R"(6:8: group.backend.user has no password; add group.backend.password)" "\n"},
    {"AllAtOnceInTheirOrder", "[server]\nworkers = -1\nlisten = [\"x\"]\n[[group]]\nttl = \"soon\"\n[log]\nlevle = \"info\"\n",
     R"(2:11: server.workers is -1; choose from 0..256)" "\n"
     R"(3:11: server.listen has the address 'x': expected host:port)" "\n"
     R"(4:1: group.name is missing; add a line 'name = ...')" "\n"
     R"(5:7: group.ttl must be a duration such as "10m"; 'soon' is not; the units are us ms s m h d)" "\n"
     R"(7:1: unknown key 'levle' in 'log'; did you mean 'level'?)" "\n"},
    {"ABadValueIsNotJudgedTwice", "[server]\nmemory = \"lots\"\n[[group]]\nname = 5\nmemory = \"2GiB\"\nhot_lease = \"long\"\n",
     R"(2:10: server.memory must be a size such as "1GiB"; 'lots' is not; the units are B KiB MiB GiB TiB)" "\n"
     R"(4:8: group.name must be a name; this is an integer)" "\n"
     R"(6:13: group.hot_lease must be a duration such as "1s"; 'long' is not; the units are us ms s m h d)" "\n"},
    {"TooManyGroups", ManyGroups(1001),
     R"(1:1: group has 1001 elements; choose from 0..256)" "\n"},
};
// clang-format on

class BadConfigTest : public testing::TestWithParam<Bad> {};

TEST_P(BadConfigTest, SaysWhereAndWhatToDo) {
  const auto loaded = ParseConfig(GetParam().text, "conf/f.toml");
  ASSERT_FALSE(loaded) << GetParam().text;
  std::string errors;
  for (const ConfigError& error : loaded.error()) {
    EXPECT_TRUE(error.ToString().starts_with("conf/f.toml:")) << error.ToString();
    errors += error.ToString().substr(std::string("conf/f.toml:").size()) + "\n";
  }
  EXPECT_EQ(errors, GetParam().errors) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(Every, BadConfigTest, testing::ValuesIn(kBad),
                         [](const auto& bad) { return std::string(bad.param.name); });

TEST(BadConfigsTest, EachHasItsOwnMessages) {
  std::set<std::string> messages;
  for (const Bad& bad : kBad)
    EXPECT_TRUE(messages.insert(bad.errors).second) << bad.name;
  EXPECT_GE(messages.size(), 45U);
}

}  // namespace
}  // namespace cistern::server
