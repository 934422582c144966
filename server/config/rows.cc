#include "server/config/rows.h"

#include <array>

#include "server/config/field_of.h"

namespace cistern::server {
namespace {

using enum RowType;
using enum Change;

constexpr BackendMask kSqlite = Only(BackendType::kSqlite);
constexpr BackendMask kRedis = Only(BackendType::kRedis);

// A row stands here only if it works. What a row no longer says here is unknown everywhere.
// clang-format off
const auto kRows = std::to_array<Row>({
  {"node", Section(), "", "", kRestart, "This node."},
  {"node.name", As<kName, &Config::node, &NodeConfig::name>(), "(the host name)", "1..64", kRestart,
   "Name of this node, unique in the cluster."},

  {"server", Section(), "", "", kRestart, "What clients connect to, and what all groups share."},
  {"server.listen", As<kListenList, &Config::server, &ServerConfig::listen>(), "127.0.0.1:6379", "1..16", kRestart,
   "Addresses for clients: \"host:port\", \"[ipv6]:port\" or \"unix:/path\"; \"tls:host:port\" is for TLS, with what [server.tls] says."},
  {"server.workers", At<&Config::server, &ServerConfig::workers>(), "0", "0..256", kRestart,
   "Worker threads; 0 is one per core."},
  {"server.max_clients", At<&Config::server, &ServerConfig::max_clients>(), "10000", "1..1000000", kRestart,
   "Clients connected at once; the limit of open files is raised to fit, or the start refused.", kEveryBackend, "maxclients"},
  {"server.memory", At<&Config::server, &ServerConfig::memory>(), "1GiB", "1MiB..64TiB", kRestart,
   "Bytes for everything that is cached or under way; what groups have of their own is carved out of it. Another 1/600 of it is taken by tables from the start.", kEveryBackend, "maxmemory"},
  {"server.policy", At<&Config::server, &ServerConfig::policy>(), "adaptive", "", kRestart,
   "What is evicted first when memory is full, of groups without memory of their own; see docs/eviction.md."},
  {"server.request_timeout", At<&Config::server, &ServerConfig::request_timeout>(), "5s", "1ms..1h", kReload,
   "Time by which a client's request is answered, whatever is slow; a write has its lease's time on top."},
  {"server.idle_timeout", At<&Config::server, &ServerConfig::idle_timeout>(), "0s (never)", "0s..365d", kReload,
   "Time after which a client that sends nothing is closed.", kEveryBackend, "timeout"},
  {"server.drain_timeout", At<&Config::server, &ServerConfig::drain_timeout>(), "10s", "0s..1h", kReload,
   "Time that requests under way have to finish when the node stops."},
  {"server.output_limit", At<&Config::server, &ServerConfig::output_limit>(), "64MiB", "64KiB..16GiB", kReload,
   "Bytes of replies that one client may leave unread, beyond the one being sent, before it is closed."},
  {"server.stall_timeout", At<&Config::server, &ServerConfig::stall_timeout>(), "1m", "1s..1d", kReload,
   "Time after which a client that takes nothing of what is queued for it is closed."},
  {"server.max_elements", At<&Config::server, &ServerConfig::max_elements>(), "1048576", "16..1048576", kRestart,
   "Elements of one request: its command and all arguments."},
  {"server.max_bulk", At<&Config::server, &ServerConfig::max_bulk>(), "512MiB", "1KiB..512MiB", kRestart,
   "Bytes of one element of a request.", kEveryBackend, "proto-max-bulk-len"},
  {"server.max_inline", At<&Config::server, &ServerConfig::max_inline>(), "64KiB", "1KiB..64KiB", kRestart,
   "Bytes of a request that is a line of text."},
  {"server.max_key", At<&Config::server, &ServerConfig::max_key>(), "64KiB", "16B..64KiB", kReload,
   "Bytes of one key."},
  {"server.unauthenticated_elements", At<&Config::server, &ServerConfig::unauthenticated_elements>(), "10", "7..1048576", kRestart,
   "Elements of a request of a client that has not authenticated."},
  {"server.unauthenticated_bulk", At<&Config::server, &ServerConfig::unauthenticated_bulk>(), "16KiB", "1KiB..512MiB", kRestart,
   "Bytes of one element of such a request."},
  {"server.unauthenticated_output", At<&Config::server, &ServerConfig::unauthenticated_output>(), "1KiB", "256B..1GiB", kReload,
   "Bytes of replies that such a client may leave unread before it is closed."},
  {"server.unauthenticated_memory", At<&Config::server, &ServerConfig::unauthenticated_memory>(), "16MiB", "1MiB..64TiB", kRestart,
   "Bytes that all such clients may cost together; beyond, those that came first are closed."},
  {"server.unauthenticated_timeout", At<&Config::server, &ServerConfig::unauthenticated_timeout>(), "30s", "0s..1d", kReload,
   "Time in which a client has to authenticate, where there is a password; \"0s\" is no end."},
  {"server.local_only_prefixes", At<&Config::server, &ServerConfig::local_only_prefixes>(), "__", "0..64", kReload,
   "Keys that begin so are answered here and never asked of a peer or a backend: clients probe with them."},
  {"server.protected_mode", At<&Config::server, &ServerConfig::protected_mode>(), "true", "", kRestart,
   "Refuse to listen beyond this machine where nothing is asked of who connects (no password, no secret)."},
  {"server.password", As<kSecret, &Config::server, &ServerConfig::password>(), "", "0..512", kReload,
   "What clients send with AUTH or HELLO; empty lets everybody in."},

  {"server.tls", Section(), "", "", kRestart, "TLS for the \"tls:\" addresses of server.listen. On SIGHUP the files are read again, for clients that connect from then on."},
  {"server.tls.cert", As<kPath, &Config::server, &ServerConfig::tls, &net::TlsOptions::cert>(), "(none)", "", kRestart,
   "PEM file of the certificate that clients see, and of those between it and its CA."},
  {"server.tls.key", As<kPath, &Config::server, &ServerConfig::tls, &net::TlsOptions::key>(), "(none)", "", kRestart,
   "PEM file of its private key, without a passphrase."},
  {"server.tls.ca", As<kPath, &Config::server, &ServerConfig::tls, &net::TlsOptions::ca>(), "(none)", "", kRestart,
   "PEM file of the CAs that sign clients' certificates."},
  {"server.tls.client_auth", At<&Config::server, &ServerConfig::tls, &net::TlsOptions::client_auth>(), "no", "", kRestart,
   "Whether clients must show a certificate of that CA: not at all, only if they have one, or always."},
  {"server.tls.handshake_timeout", At<&Config::server, &ServerConfig::tls, &net::TlsOptions::handshake_timeout>(), "10s", "100ms..1h", kRestart,
   "Time that a client has to finish its handshake before it is closed."},

  {"admin", Section(), "", "", kRestart, "The HTTP port for operators: /metrics /healthz /readyz /stats."},
  {"admin.listen", As<kListen, &Config::admin, &AdminConfig::listen>(), "127.0.0.1:9379", "", kRestart,
   "Address of the admin port, \"host:port\"; empty is none."},

  {"log", Section(), "", "", kRestart, "What the node writes about itself."},
  {"log.level", At<&Config::log, &LogConfig::level>(), "info", "", kReload,
   "The least important kind of line that is written."},
  {"log.format", At<&Config::log, &LogConfig::format>(), "text", "", kRestart,
   "Lines for people, or one JSON object a line."},
  {"log.file", As<kPath, &Config::log, &LogConfig::file>(), "(standard error)", "", kRestart,
   "File that lines are appended to."},

  {"cluster", Section(), "", "", kRestart, "The other nodes, and what this node promises them."},
  {"cluster.listen", As<kListen, &Config::cluster, &ClusterConfig::listen>(), "127.0.0.1:16379", "1..", kRestart,
   "Address to listen on for other nodes, \"host:port\"."},
  {"cluster.advertise", As<kAddress, &Config::cluster, &ClusterConfig::advertise>(), "(this node's own peer in cluster.nodes; without nodes, cluster.listen)", "", kReload,
   "Address that other nodes dial to reach this one, \"host:port\"."},
  {"cluster.secret", As<kSecret, &Config::cluster, &ClusterConfig::secret>(), "", "0..512", kRestart,
   "What nodes prove to each other that they know; the same on every node, never sent."},
  {"cluster.connect_timeout", At<&Config::cluster, &ClusterConfig::connect_timeout>(), "500ms", "1ms..1m", kRestart,
   "Time to connect to another node."},
  {"cluster.longest_lease", At<&Config::cluster, &ClusterConfig::longest_lease>(), "1s", "10ms..10s", kRestart,
   "No group's hot_lease is longer."},
  {"cluster.max_leases", At<&Config::cluster, &ClusterConfig::max_leases>(), "1048576", "0..1000000000", kRestart,
   "Copies of this node's keys that others may hold at once, about; beyond, none is lent, which costs speed only."},
  {"cluster.dead_after", At<&Config::cluster, &ClusterConfig::dead_after>(), "1s", "50ms..1m", kRestart,
   "Time without an echo after which another node counts as unreachable."},
  {"cluster.tls", Section(), "", "", kRestart, "TLS between the nodes: set on all of them or on none. On SIGHUP the files are read again, for connections made from then on."},
  {"cluster.tls.cert", As<kPath, &Config::cluster, &ClusterConfig::tls, &net::TlsOptions::cert>(), "(none)", "", kRestart,
   "PEM file of the certificate that this node shows when it connects and when it is connected to."},
  {"cluster.tls.key", As<kPath, &Config::cluster, &ClusterConfig::tls, &net::TlsOptions::key>(), "(none)", "", kRestart,
   "PEM file of its private key, without a passphrase."},
  {"cluster.tls.ca", As<kPath, &Config::cluster, &ClusterConfig::tls, &net::TlsOptions::ca>(), "(none)", "", kRestart,
   "PEM file of the CAs that sign the nodes' certificates; whoever has one of theirs may join."},
  {"cluster.nodes", Tables<&Target::node, &Config::cluster, &ClusterConfig::nodes>(), "", "0..1000", kReload,
   "All nodes of the cluster, this one among them; the same list on every node."},
  {"cluster.nodes.name", As<kName, &ClusterNode::name>(), "(required)", "1..64", kReload,
   "The node's node.name."},
  {"cluster.nodes.peer", As<kAddress, &ClusterNode::peer>(), "(required)", "", kReload,
   "Where other nodes reach it, \"host:port\"."},
  {"cluster.nodes.client", As<kAddress, &ClusterNode::client>(), "(required)", "", kReload,
   "Where clients reach it, \"host:port\"."},
  {"cluster.nodes.weight", At<&ClusterNode::weight>(), "1", "1..100", kReload,
   "Its share of the keys, relative to the other nodes' weights."},

  {"group", Tables<&Target::group, &Config::groups>(), "", "0..256", kRestart,
   "A namespace of keys with its own backend, budget and freshness; a key belongs to the longest prefix that fits."},
  {"group.name", As<kName, &GroupConfig::name>(), "(required)", "1..64", kRestart,
   "Name of the group in metrics, logs and errors."},
  {"group.prefix", At<&GroupConfig::prefix>(), "(every key that no other group takes)", "0..1024", kRestart,
   "How its keys begin."},
  {"group.strip_prefix", At<&GroupConfig::strip_prefix>(), "true", "", kRestart,
   "Whether the backend sees keys without the prefix."},
  {"group.memory", At<&GroupConfig::memory>(), "(none of its own: it shares what no group has)", "1MiB..64TiB", kRestart,
   "Bytes of server.memory that are this group's own."},
  {"group.policy", At<&GroupConfig::policy>(), "adaptive (that of server.policy)", "", kRestart,
   "What is evicted first when the group's own memory is full."},
  {"group.ttl", At<&GroupConfig::ttl>(), "10m", "0s..3650d", kReload,
   "Time that a value is kept, unless its backend says otherwise; \"0s\" is until it is evicted."},
  {"group.ttl_jitter", At<&GroupConfig::ttl_jitter>(), "0.1", "0..1", kReload,
   "Part of its TTL by which an entry's life may be shortened, at random, so that not all end at once."},
  {"group.negative_ttl", At<&GroupConfig::negative_ttl>(), "5s", "0s..1d", kReload,
   "Time that the absence of a key is kept; \"0s\" asks the backend every time."},
  {"group.hold_off", At<&GroupConfig::hold_off>(), "0s", "0s..1h", kRestart,
   "Time after a DEL in which the backend, or a replica that lags, may still answer with the older value: what is loaded within it is kept until it is over; \"0s\" is none."},
  {"group.max_value", At<&GroupConfig::max_value>(), "16MiB", "1B..512MiB", kReload,
   "Bytes of the largest value that is kept; larger ones are answered and not kept, and SET refuses them."},
  {"group.writes", At<&GroupConfig::writes>(), "reject (cache where there is no backend)", "", kReload,
   "What SET and its like do: they are refused, or the value is stored in the cache alone."},
  {"group.max_loads", At<&GroupConfig::max_loads>(), "4096", "1..1000000", kReload,
   "Loads under way at once on this node; beyond, GET answers OVERLOAD."},
  {"group.max_load_bytes", At<&GroupConfig::max_load_bytes>(), "256MiB", "1MiB..64TiB", kRestart,
   "Bytes that loads under way hold, and values that they brought and that are not kept but still being sent, on this node; beyond, GET answers OVERLOAD."},
  {"group.max_waiters", At<&GroupConfig::max_waiters>(), "100000", "1..10000000", kReload,
   "Requests that wait for loads at once on this node; beyond, GET answers OVERLOAD."},
  {"group.hot_sample", At<&GroupConfig::hot_sample>(), "10 (0 where there is no backend)", "0..1000000", kReload,
   "One in so many requests to another node asks for a leased copy; 0 keeps no copies."},
  {"group.hot_share", At<&GroupConfig::hot_share>(), "0.125", "0..1", kRestart,
   "Part of the memory that copies may hold when the node's own keys need the room."},
  {"group.hot_lease", At<&GroupConfig::hot_lease>(), "1s", "10ms..10s", kReload,
   "Time that a copy is good for, and the most that a node cut off may lag behind a DEL."},

  {"group.backend", Section(), "", "", kRestart, "What the group is filled from; left out, it holds what SET stores."},
  {"group.backend.type", At<&GroupConfig::backend, &BackendConfig::type>(), "none", "", kRestart,
   "Kind of backend."},
  {"group.backend.path", As<kPath, &GroupConfig::backend, &BackendConfig::path>(), "(required)", "1..", kRestart,
   "The database file; it is opened for reading only.", kSqlite},
  {"group.backend.query", At<&GroupConfig::backend, &BackendConfig::query>(), "(required)", "1..65536", kRestart,
   "A SELECT of one column; ?1 is the key, no row means not found.", kSqlite},
  {"group.backend.address", As<kServer, &GroupConfig::backend, &BackendConfig::address>(), "(required)", "1..", kRestart,
   "Where the Redis server listens: \"host:port\" or \"unix:/path\".", kRedis},
  {"group.backend.user", At<&GroupConfig::backend, &BackendConfig::user>(), "(none: AUTH with the password alone)", "", kRestart,
   "User name for AUTH.", kRedis},
  {"group.backend.password", As<kSecret, &GroupConfig::backend, &BackendConfig::password>(), "(none: no AUTH is sent)", "", kRestart,
   "Password for AUTH.", kRedis},
  {"group.backend.database", At<&GroupConfig::backend, &BackendConfig::database>(), "0", "0..65535", kRestart,
   "Number of the database, for SELECT.", kRedis},
  {"group.backend.connections", At<&GroupConfig::backend, &BackendConfig::connections>(), "2", "1..256", kRestart,
   "Connections to the backend: in all for sqlite, each on a thread of its own; per worker for redis.", kSqlite | kRedis},
  {"group.backend.batch", At<&GroupConfig::backend, &BackendConfig::batch>(), "128", "1..10000", kRestart,
   "Most keys that one trip to the backend asks for.", kSqlite | kRedis},
  {"group.backend.timeout", At<&GroupConfig::backend, &BackendConfig::timeout>(), "500ms", "1ms..10m", kRestart,
   "Time for one load; after it, the load has failed.", kSqlite | kRedis},
  {"group.backend.connect_timeout", At<&GroupConfig::backend, &BackendConfig::connect_timeout>(), "500ms", "1ms..1m", kRestart,
   "Time to connect, AUTH and SELECT included.", kRedis},
  {"group.backend.max_reply", At<&GroupConfig::backend, &BackendConfig::max_reply>(), "256MiB", "1MiB..8GiB", kRestart,
   "Bytes of one reply of the server, of all keys that it was asked for together; a longer one ends its connection.", kRedis},
});
// clang-format on

}  // namespace

std::string_view Row::section() const {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string_view Row::key() const {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::string_view Row::literal() const {
  const std::string_view text = value.substr(0, value.find('('));
  return text.ends_with(' ') ? text.substr(0, text.size() - 1) : text;
}

std::span<const Row> ConfigRows() {
  return kRows;
}

const Row* FindRow(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const Row* EnclosingList(const Row& row) {
  const Row* table = FindRow(row.section());
  while (table != nullptr && !table->is_list_of_tables())
    table = FindRow(table->section());
  return table;
}

}  // namespace cistern::server
