// Config: everything a node is told before it starts, as plain data. Immutable once it is loaded.
//
// What each field means, its default and its range stand in one place: the row table (rows.cc).
// Fields of a Config made by hand are zero; DefaultConfig() and DefaultGroup() (load.h) have the
// table's defaults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cache/clock.h"
#include "net/tls_context.h"

namespace cistern::server {

using cache::Duration;

enum class Policy : uint8_t { kAdaptive, kS3Fifo, kLru, kLfu, kFifo, kArc };
enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : uint8_t { kText, kJson };
enum class WriteMode : uint8_t { kReject, kCache };
enum class BackendType : uint8_t { kNone, kSqlite, kRedis };

struct NodeConfig {
  std::string name;
  bool operator==(const NodeConfig&) const = default;
};

struct ServerConfig {
  std::vector<std::string> listen;  // what net::Address::Parse() reads
  int64_t workers = 0;              // 0: one a core
  int64_t max_clients = 0;
  uint64_t memory = 0;  // bytes, like every uint64_t here
  Policy policy = Policy::kAdaptive;
  Duration request_timeout{0};
  Duration idle_timeout{0};  // 0: never
  Duration drain_timeout{0};
  uint64_t output_limit = 0;
  Duration stall_timeout{0};
  int64_t max_elements = 0;
  uint64_t max_bulk = 0;
  uint64_t max_inline = 0;
  uint64_t max_key = 0;
  // Of clients that have not authenticated.
  int64_t unauthenticated_elements = 0;
  uint64_t unauthenticated_bulk = 0;
  uint64_t unauthenticated_output = 0;
  uint64_t unauthenticated_memory = 0;
  Duration unauthenticated_timeout{0};  // 0: never
  std::vector<std::string> local_only_prefixes;
  bool protected_mode = false;
  std::string password;  // empty: none is asked for
  net::TlsOptions tls;   // of the "tls:" addresses
  bool operator==(const ServerConfig&) const = default;
};

struct AdminConfig {
  std::string listen;  // empty: no admin port
  bool operator==(const AdminConfig&) const = default;
};

struct LogConfig {
  LogLevel level = LogLevel::kDebug;
  LogFormat format = LogFormat::kText;
  std::string file;  // empty: standard error
  bool operator==(const LogConfig&) const = default;
};

struct ClusterNode {
  std::string name;
  std::string peer;
  std::string client;
  int64_t weight = 0;
  bool operator==(const ClusterNode&) const = default;
};

struct ClusterConfig {
  std::string listen;
  std::string advertise;  // after loading never empty
  std::string secret;
  Duration connect_timeout{0};
  Duration longest_lease{0};
  int64_t max_leases = 0;
  Duration dead_after{0};
  net::TlsOptions tls;             // without a certificate: none
  std::vector<ClusterNode> nodes;  // empty: a cluster of one; else this node is among them
  bool operator==(const ClusterConfig&) const = default;
};

// Rows that do not belong to `type` keep their defaults.
struct BackendConfig {
  BackendType type = BackendType::kNone;
  std::string path;  // absolute after loading
  std::string query;
  std::string address;
  std::string user;
  std::string password;
  int64_t database = 0;
  int64_t connections = 0;
  int64_t batch = 0;
  Duration timeout{0};
  Duration connect_timeout{0};
  uint64_t max_reply = 0;
  bool operator==(const BackendConfig&) const = default;
};

struct GroupConfig {
  std::string name;
  std::string prefix;
  bool strip_prefix = false;
  uint64_t memory = 0;  // 0: none of its own, it draws on server.memory
  Policy policy = Policy::kAdaptive;
  Duration ttl{0};  // 0: until evicted
  double ttl_jitter = 0;
  Duration negative_ttl{0};  // 0: absence is not kept
  Duration hold_off{0};      // 0: none
  uint64_t max_value = 0;
  WriteMode writes = WriteMode::kReject;
  int64_t max_loads = 0;
  uint64_t max_load_bytes = 0;
  int64_t max_waiters = 0;
  int64_t hot_sample = 0;  // 0: no hot copies
  double hot_share = 0;
  Duration hot_lease{0};
  BackendConfig backend;
  bool operator==(const GroupConfig&) const = default;
};

struct Config {
  NodeConfig node;
  ServerConfig server;
  AdminConfig admin;
  LogConfig log;
  ClusterConfig cluster;
  std::vector<GroupConfig> groups;
  bool operator==(const Config&) const = default;
};

}  // namespace cistern::server
