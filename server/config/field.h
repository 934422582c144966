// Field: where a row's value lies in a Config, and of which type it is. field_of.h makes them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config/words.h"

namespace cistern::server {

enum class RowType : uint8_t {
  kString,
  kSecret,   // a string that is never shown
  kName,     // letters, digits and -_. : what appears in metrics, logs and errors
  kPath,     // of a file; absolute once loaded
  kAddress,  // to connect to
  kServer,   // to connect to, on this machine also by a unix socket
  kListen,   // to listen on
  kBool,
  kInteger,
  kReal,
  kDuration,
  kSize,
  kEnum,
  kStringList,
  kListenList,
  kTable,   // [name]
  kTables,  // [[name]], or a list of { ... }
};

// What is being filled or read: the whole, and which of its groups or nodes, where it is one's row.
struct Target {
  Config* config = nullptr;
  GroupConfig* group = nullptr;
  ClusterNode* node = nullptr;
};

template <class T>
using Ref = T& (*)(const Target&);

struct EnumRef {
  std::span<const std::string_view> now;
  std::span<const std::string_view> later;
  size_t (*get)(const Target&);
  void (*set)(const Target&, size_t);
};

// The elements of [[name]].
struct TablesRef {
  size_t (*count)(const Target&);
  Target (*at)(const Target&, size_t);  // invalidated by `add`
  void (*add)(const Target&);
  std::string_view (*name)(const Target&);  // of one element, as at() gave it
};

struct Field {
  RowType type = RowType::kTable;
  std::variant<std::monostate, Ref<std::string>, Ref<bool>, Ref<int64_t>, Ref<double>,
               Ref<Duration>, Ref<uint64_t>, Ref<std::vector<std::string>>, EnumRef, TablesRef>
      access;
};

}  // namespace cistern::server
