// The one table of the configuration. The parser, CONFIG GET, `cistern help-config`,
// docs/configuration.md and the tests read it; there is no second list.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/config/field.h"

namespace cistern::server {

enum class Change : uint8_t {
  kRestart,  // read once, when the node starts
  kReload,   // also while it runs
};

// A set of backend types.
using BackendMask = uint8_t;
constexpr BackendMask Only(BackendType type) {
  return static_cast<BackendMask>(1U << static_cast<unsigned>(type));
}
inline constexpr BackendMask kEveryBackend = 0xff;

// Texts are in the language of the file, without its quotation marks.
struct Row {
  std::string_view name;   // dotted: "server.memory"; rows of a [[group]] begin with "group."
  Field field;             // where its value lies, and its type
  std::string_view value;  // its default, then, in brackets, what else is to be said of it
  std::string_view range;  // "low..high", ends included; of strings: bytes, of lists: elements
  Change change = Change::kRestart;
  std::string_view sentence;  // what it is, with its unit
  BackendMask backends = kEveryBackend;
  // What CONFIG GET calls it too. GCC wants an initializer where rows may leave it out.
  std::string_view redis_name = "";  // NOLINT(readability-redundant-string-init)

  std::string_view section() const;  // "server", "group.backend"; empty for a top-level table
  std::string_view key() const;      // "memory"
  std::string_view literal() const;  // the default without the bracket; empty: none
  bool required() const { return value == kRequired; }
  bool is_table() const { return field.type == RowType::kTable || is_list_of_tables(); }
  bool is_list_of_tables() const { return field.type == RowType::kTables; }
  bool belongs_to(BackendType type) const { return (backends & Only(type)) != 0; }

  static constexpr std::string_view kRequired = "(required)";
};

// All rows: a table's row stands in front of its own rows.
std::span<const Row> ConfigRows();

// The row with that dotted name, or null.
const Row* FindRow(std::string_view name);

// The row of the [[list]] that the row stands in ("group" for "group.backend.path"), or null.
const Row* EnclosingList(const Row& row);

}  // namespace cistern::server
