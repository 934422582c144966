#include "server/config/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "server/config/value.h"

namespace cistern::server {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Made from the row table of server/config/rows.cc by `cistern help-config --markdown`; a test
compares the two. Change the table, not this page. -->

One TOML file, named on the command line: `cistern serve FILE`. `cistern check FILE` reads it
exactly as `serve` does and prints what is wrong, each with line and column: the first error of
syntax, or else all others at once. Nothing starts before the whole file is right; a key that
is not on this page is an error.

- **Durations** are strings of digits and a unit: `us` `ms` `s` `m` `h` `d`, as in `"250ms"`.
- **Sizes** are strings of digits and a unit: `B` `KiB` `MiB` `GiB` `TiB`, as in `"64MiB"`;
  1 KiB is 1024 bytes.
- **Ranges** include both ends. A string's range counts its bytes, a list's its elements.
- **Paths** that are relative start at the folder of the file they stand in.
- **Changes** count when the node is started, unless a row says that it is read again on SIGHUP:
  then the whole file is read and checked; if anything is wrong with it, all stays as it was. The
  log says what has changed, and what takes a restart.
- `CONFIG GET` knows each row by its dotted name, rows of a group as `group.<its name>.ttl`, rows
  of a node as `cluster.nodes.<its name>.peer`; and Redis's own names where this page gives one.
  Passwords and secrets are not shown.

Files to copy are in `conf/`.
)";

std::string Heading(const Row& row) {
  return row.is_list_of_tables() ? fmt::format("[[{}]]", row.name) : fmt::format("[{}]", row.name);
}

std::string Type(const Row& row) {
  if (row.field.type == RowType::kEnum) return Wanted(row);
  return std::string(TypeName(row));
}

// "10000", "\"1GiB\"", "the host name", "10 (0 where there is no backend)".
std::string Default(const Row& row, std::string_view quote) {
  if (row.required()) return "required";
  const std::string_view literal = row.literal();
  const std::string_view note = row.value.substr(literal.size());
  if (literal.empty() && !note.empty()) return std::string(note.substr(1, note.size() - 2));
  return fmt::format("{0}{1}{0}{2}", quote, FormatToml(row, literal), note);
}

std::string Backends(const Row& row) {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < Words<BackendType>::kNow.size(); ++i) {
    if (row.belongs_to(static_cast<BackendType>(i))) names.push_back(Words<BackendType>::kNow[i]);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// What there is to say besides the sentence.
std::string Remarks(const Row& row) {
  std::string remarks;
  if (row.backends != kEveryBackend) remarks += fmt::format(" For {} only.", Backends(row));
  if (!row.redis_name.empty()) remarks += fmt::format(" Redis's name: {}.", row.redis_name);
  if (row.change == Change::kReload) remarks += " Read again on SIGHUP.";
  return remarks;
}

std::string HelpRow(const Row& row) {
  std::string text = fmt::format("  {:<20} {}", row.key(), Type(row));
  if (!row.range.empty()) text += fmt::format(", {}", row.range);
  text += row.required() ? ", required" : fmt::format("; default: {}", Default(row, ""));
  return text + fmt::format("\n  {:<20} {}{}\n", "", row.sentence, Remarks(row));
}

std::string MarkdownRow(const Row& row) {
  return fmt::format("| `{}` | {} | {} | {} | {}{} |\n", row.key(), Type(row), Default(row, "`"),
                     row.range.empty() ? "" : fmt::format("{}", row.range), row.sentence,
                     Remarks(row));
}

}  // namespace

std::string HelpConfig() {
  std::string text;
  for (const Row& row : ConfigRows()) {
    if (row.is_table()) {
      text += fmt::format("{}{}\n  {}\n\n", text.empty() ? "" : "\n", Heading(row), row.sentence);
    } else {
      text += HelpRow(row);
    }
  }
  return text;
}

std::string ConfigReferenceMarkdown() {
  std::string text(kIntroduction);
  for (const Row& row : ConfigRows()) {
    if (row.is_table()) {
      text += fmt::format("\n## `{}`\n\n{}\n\n", Heading(row), row.sentence);
      text += "| row | type | default | range | what it is |\n|---|---|---|---|---|\n";
    } else {
      text += MarkdownRow(row);
    }
  }
  return text;
}

}  // namespace cistern::server
