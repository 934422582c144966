// The node itself: COMMAND CONFIG DBSIZE INFO TIME.
#include <map>

#include "server/command_introspection.h"
#include "server/command_table.h"
#include "server/config/config_get.h"
#include "server/info.h"
#include "server/node.h"
#include "server/replies.h"

namespace cistern::server {
namespace {

// CONFIG GET pattern [pattern ...]: what several patterns match is shown once.
void ConfigGetValues(Call& call) {
  std::map<std::string, std::string> rows;
  for (const std::string_view pattern : call.args().subspan(2)) {
    for (auto& [name, value] : ConfigGet(call.worker().config(), pattern))
      rows.emplace(std::move(name), std::move(value));
  }
  call.reply().Map(rows.size());
  for (const auto& [name, value] : rows) {
    call.reply().Bulk(name);
    call.reply().Bulk(value);
  }
}

void ConfigResetStat(Call& call) {
  call.worker().node().stats().Reset();
  call.reply().SimpleString("OK");
}

void DbSize(Call& call) {
  call.reply().Integer(static_cast<int64_t>(call.worker().node().stats().MainEntries()));
}

void Info(Call& call) {
  Node& node = call.worker().node();
  call.reply().Verbatim("txt", InfoText(node.stats().Read(), node.Facts(), call.args().subspan(1)));
}

// Seconds and the microseconds of the current one.
void Time(Call& call) {
  const auto now = std::chrono::floor<std::chrono::microseconds>(
      call.worker().loop().clock().WallNow().time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  call.reply().Array(2);
  call.reply().Bulk(std::to_string(seconds.count()));
  call.reply().Bulk(std::to_string((now - seconds).count()));
}

constexpr uint32_t kAnyTime = kFlagLoading | kFlagStale;

constexpr Command kRows[] = {
    {.name = "command",
     .arity = -1,
     .flags = kAnyTime,
     .handler = CommandAll,
     .summary = "What this server's commands are: names, arities, flags, positions of keys.",
     .since = "2.8.13",
     .group = "server",
     .arguments = "[subcommand]"},
    {.name = "command|count",
     .arity = 2,
     .flags = kAnyTime,
     .handler = CommandCount,
     .summary = "How many commands there are.",
     .since = "2.8.13",
     .group = "server",
     .arguments = ""},
    {.name = "command|docs",
     .arity = -2,
     .flags = kAnyTime,
     .handler = CommandDocs,
     .summary = "Summary, form and arity of commands.",
     .since = "7.0.0",
     .group = "server",
     .arguments = "[command-name [command-name ...]]"},
    {.name = "command|info",
     .arity = -2,
     .flags = kAnyTime,
     .handler = CommandInfo,
     .summary = "The rows of the commands named, null for unknown ones; without names, of all.",
     .since = "2.8.13",
     .group = "server",
     .arguments = "[command-name [command-name ...]]"},
    {.name = "command|list",
     .arity = -2,
     .flags = kAnyTime,
     .handler = CommandList,
     .summary = "The names of commands.",
     .since = "7.0.0",
     .group = "server",
     .arguments = "[FILTERBY MODULE module | ACLCAT category | PATTERN pattern]"},
    {.name = "config",
     .arity = -2,
     .handler = RunSubcommand,
     .summary = "Commands about the configuration.",
     .since = "2.0.0",
     .group = "server",
     .arguments = "subcommand"},
    {.name = "config|get",
     .arity = -3,
     .flags = kFlagAdmin | kFlagNoScript | kAnyTime,
     .handler = ConfigGetValues,
     .summary = "Rows of the configuration whose names match, with their values; dotted names, and "
                "Redis's own where clients ask for them. Secrets are hidden.",
     .since = "2.0.0",
     .group = "server",
     .arguments = "pattern [pattern ...]"},
    {.name = "config|resetstat",
     .arity = 2,
     .flags = kFlagAdmin | kFlagNoScript | kAnyTime,
     .handler = ConfigResetStat,
     .summary = "Sets this node's counters to zero.",
     .since = "2.0.0",
     .group = "server",
     .arguments = ""},
    {.name = "dbsize",
     .arity = 1,
     .flags = kFlagReadonly | kFlagFast,
     .access = Access::kBarrier,  // behind the writes of its pipeline
     .handler = DbSize,
     .summary = "How many entries this node holds as their owner, absences that it remembers "
                "included.",
     .since = "1.0.0",
     .group = "server",
     .arguments = ""},
    {.name = "info",
     .arity = -1,
     .flags = kAnyTime,
     .handler = Info,
     .summary = "What this node is and has done, in sections: server, clients, memory, "
                "persistence, stats, replication, latency, groups, cluster, keyspace.",
     .since = "1.0.0",
     .group = "server",
     .arguments = "[section [section ...]]"},
    {.name = "time",
     .arity = 1,
     .flags = kFlagFast | kAnyTime,
     .handler = Time,
     .summary = "The node's wall clock: seconds since 1970 and microseconds.",
     .since = "2.6.0",
     .group = "server",
     .arguments = ""},
};

}  // namespace

std::span<const Command> ServerCommands() {
  return kRows;
}

}  // namespace cistern::server
