#include "server/command_introspection.h"

#include <string>
#include <utility>
#include <vector>

#include "server/arguments.h"
#include "server/command_table.h"
#include "server/config/glob.h"
#include "server/error_texts.h"

namespace cistern::server {
namespace {

using Names = std::vector<std::string_view>;

constexpr std::pair<uint32_t, std::string_view> kFlagNames[] = {
    {kFlagWrite, "write"}, {kFlagReadonly, "readonly"}, {kFlagDenyOom, "denyoom"},
    {kFlagAdmin, "admin"}, {kFlagNoScript, "noscript"}, {kFlagLoading, "loading"},
    {kFlagStale, "stale"}, {kFlagFast, "fast"},         {kFlagNoAuth, "no_auth"},
};

Names FlagNames(const Command& row) {
  Names names;
  for (const auto& [flag, name] : kFlagNames) {
    if ((row.flags & flag) != 0) names.push_back(name);
  }
  return names;
}

// As Redis derives them from flags and group.
Names Categories(const Command& row) {
  Names names;
  if ((row.flags & kFlagWrite) != 0) names.push_back("@write");
  if ((row.flags & kFlagReadonly) != 0) names.push_back("@read");
  if ((row.flags & kFlagAdmin) != 0) names.push_back("@admin");
  if ((row.flags & kFlagAdmin) != 0) names.push_back("@dangerous");
  if (row.group == "string") names.push_back("@string");
  if (row.group == "generic") names.push_back("@keyspace");
  if (row.group == "connection") names.push_back("@connection");
  names.push_back((row.flags & kFlagFast) != 0 ? "@fast" : "@slow");
  return names;
}

void WriteStatuses(Reply& reply, const Names& names) {
  reply.Set(names.size());
  for (const std::string_view name : names)
    reply.SimpleString(name);
}

// One way to find all keys of a row: from its first key, in steps.
void WriteKeySpecs(Reply& reply, const Command& row) {
  if (row.first_key == 0) return reply.Set(0);
  const auto number = [&reply](std::string_view name, int value) {
    reply.Bulk(name);
    reply.Integer(value);
  };
  reply.Set(1);
  reply.Map(3);
  reply.Bulk("flags");
  WriteStatuses(reply,
                (row.flags & kFlagWrite) != 0 ? Names{"RW", "update"} : Names{"RO", "access"});
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("index");
  reply.Bulk("spec");
  reply.Map(1);
  number("index", row.first_key);
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("range");
  reply.Bulk("spec");
  reply.Map(3);
  number("lastkey", row.last_key < 0 ? row.last_key : row.last_key - row.first_key);
  number("keystep", row.step);
  number("limit", 0);
}

// The ten elements that clients of Redis 7 expect.
void WriteInfo(Reply& reply, const Command& row) {
  const auto subcommands = AllCommands::Get().Subcommands(row);
  reply.Array(10);
  reply.Bulk(row.name);
  reply.Integer(row.arity);
  WriteStatuses(reply, FlagNames(row));
  reply.Integer(row.first_key);
  reply.Integer(row.last_key);
  reply.Integer(row.step);
  WriteStatuses(reply, Categories(row));
  reply.Set(0);  // hints for proxies
  WriteKeySpecs(reply, row);
  reply.Array(subcommands.size());
  for (const Command* subcommand : subcommands)
    WriteInfo(reply, *subcommand);
}

void WriteDocs(Reply& reply, const Command& row) {
  const auto subcommands = AllCommands::Get().Subcommands(row);
  const auto field = [&reply](std::string_view name, std::string_view value) {
    reply.Bulk(name);
    reply.Bulk(value);
  };
  reply.Bulk(row.name);
  reply.Map(4 + (row.arguments.empty() ? 0 : 1) + (subcommands.empty() ? 0 : 1));
  field("summary", row.summary);
  field("since", row.since);
  field("group", row.group);
  reply.Bulk("arity");  // Redis has it in COMMAND INFO only
  reply.Integer(row.arity);
  if (!row.arguments.empty()) {
    // Their whole form as one: redis-cli shows it behind the command's name.
    reply.Bulk("arguments");
    reply.Array(1);
    reply.Map(2);
    field("name", row.arguments);
    field("type", "string");
  }
  if (subcommands.empty()) return;
  reply.Bulk("subcommands");
  reply.Map(subcommands.size());
  for (const Command* subcommand : subcommands)
    WriteDocs(reply, *subcommand);
}

// "get", or "client|id".
const Command* FindRow(std::string_view name) {
  const AllCommands& table = AllCommands::Get();
  const size_t bar = name.find('|');
  const Command* command = table.FindCommand(name.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) return command;
  return table.FindSubcommand(*command, name.substr(bar + 1));
}

bool InCategory(const Command& row, std::string_view category) {
  for (const std::string_view name : Categories(row)) {
    if (EqualsIgnoringCase(category, name.substr(1))) return true;
  }
  return false;
}

}  // namespace

void CommandAll(Call& call) {
  if (call.args().size() > 1) return RunSubcommand(call);
  const auto commands = AllCommands::Get().commands();
  call.reply().Array(commands.size());
  for (const Command* row : commands)
    WriteInfo(call.reply(), *row);
}

void CommandCount(Call& call) {
  call.reply().Integer(static_cast<int64_t>(AllCommands::Get().commands().size()));
}

void CommandInfo(Call& call) {
  if (call.args().size() == 2) {
    const auto commands = AllCommands::Get().commands();
    call.reply().Array(commands.size());
    for (const Command* row : commands)
      WriteInfo(call.reply(), *row);
    return;
  }
  call.reply().Array(call.args().size() - 2);
  for (const std::string_view name : call.args().subspan(2)) {
    const Command* row = FindRow(name);
    if (row == nullptr) {
      call.reply().NullArray();
    } else {
      WriteInfo(call.reply(), *row);
    }
  }
}

void CommandDocs(Call& call) {
  std::vector<const Command*> rows;
  for (const std::string_view name : call.args().subspan(2)) {
    if (const Command* row = FindRow(name)) rows.push_back(row);
  }
  if (call.args().size() == 2) {
    const auto all = AllCommands::Get().commands();
    rows.assign(all.begin(), all.end());
  }
  call.reply().Map(rows.size());
  for (const Command* row : rows)
    WriteDocs(call.reply(), *row);
}

// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]
void CommandList(Call& call) {
  const auto args = call.args();
  const bool filtered = args.size() == 5 && EqualsIgnoringCase(args[2], "filterby");
  const bool by_module = filtered && EqualsIgnoringCase(args[3], "module");
  const bool by_category = filtered && EqualsIgnoringCase(args[3], "aclcat");
  const bool by_pattern = filtered && EqualsIgnoringCase(args[3], "pattern");
  if (args.size() != 2 && !by_module && !by_category && !by_pattern) {
    return call.reply().Error(error_texts::kSyntax);
  }
  Names names;
  for (const Command* row : AllCommands::Get().commands()) {
    if (by_module) continue;  // there are none
    if (by_category && !InCategory(*row, args[4])) continue;
    if (by_pattern && !GlobMatch(LowerCase(args[4]), row->name)) continue;
    names.push_back(row->name);
  }
  call.reply().Set(names.size());
  for (const std::string_view name : names)
    call.reply().Bulk(name);
}

}  // namespace cistern::server
