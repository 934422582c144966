#include "server/command_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "server/command_table.h"

namespace cistern::server {
namespace {

constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
    {"string", "Values"},   {"bitmap", "Bits of values"},
    {"generic", "Keys"},    {"connection", "The connection"},
    {"server", "The node"},
};

// "SET key value [NX | XX]", "CLIENT ID"
std::string Form(const Command& row) {
  std::string form(row.name);
  std::transform(form.begin(), form.end(), form.begin(), [](unsigned char c) {
    return c == '|' ? ' ' : static_cast<char>(std::toupper(c));
  });
  if (!row.arguments.empty()) form += " " + std::string(row.arguments);
  return form;
}

// A container says nothing that its subcommands do not say; COMMAND alone is one too.
bool IsShown(const Command& row) {
  return AllCommands::Get().Subcommands(row).empty() || row.arity == -1;
}

// A bar would end the table's cell.
std::string Escaped(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, 1, '\\');
  return text;
}

std::string_view Keys(const Command& row) {
  switch (row.access) {
    case Access::kNone:
      return "";
    case Access::kRead:
      return "reads";
    case Access::kWrite:
      return "writes";
    case Access::kBarrier:
      return "all keys";
  }
  return "";
}

constexpr std::string_view kIntroduction = R"(# Commands

<!-- Written by `cistern help-commands --markdown` from the command table; a test compares. -->

Any Redis client may send these to any node. Replies and error texts are those of Redis 7.4 unless a sentence here says
otherwise; `COMMAND`, `COMMAND DOCS` and `COMMAND INFO` answer from the same table. A request whose key is longer than
64 KiB is refused. On one connection, requests that share a key and of which one writes run one after the other; all
others overlap, and replies keep their order.

What changes a value or its life runs at the key's owner, sees what the owner holds (not what a backend may have), and
answers when no node has a copy of what was before; an error may mean that it has happened and was not confirmed. In a
group that takes no writes it can drop a value (DEL, GETDEL) or give it an earlier end (EXPIRE, GETEX), never a later
one, so that nothing outlives the group's `ttl`. The longest life is 200 years.

Errors of our own begin with `NOGROUP` (no group serves the key), `BACKEND` (the backend failed or was too slow),
`OVERLOAD` (a limit of the group is reached), `PEER` (the key's owner could not be asked, or did not confirm), `NOWRITE`
(the group takes no writes) or `TIMEOUT` (the request's own time ran out).
)";

}  // namespace

std::string HelpCommands() {
  std::string text;
  for (const Command* row : AllCommands::Get().rows()) {
    if (IsShown(*row)) text += fmt::format("{}\n    {}\n", Form(*row), row->summary);
  }
  return text;
}

std::string CommandReferenceMarkdown() {
  std::string text(kIntroduction);
  for (const auto& [group, heading] : kGroups) {
    text += fmt::format("\n## {}\n\n| command | keys | what it does | since |\n|---|---|---|---|\n",
                        heading);
    for (const Command* row : AllCommands::Get().rows()) {
      if (row->group != group || !IsShown(*row)) continue;
      text += fmt::format("| `{}` | {} | {} | {} |\n", Escaped(Form(*row)), Keys(*row),
                          Escaped(std::string(row->summary)), row->since);
    }
  }
  return text;
}

}  // namespace cistern::server
