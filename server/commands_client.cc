// Clients, this one and the others: CLIENT and its subcommands.
#include <algorithm>
#include <numeric>
#include <optional>

#include "server/arguments.h"
#include "server/call.h"
#include "server/client_connection.h"
#include "server/client_filter.h"
#include "server/client_line.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/gather.h"

namespace cistern::server {
namespace {

void ClientId(Call& call) {
  call.reply().Integer(static_cast<int64_t>(call.client().id));
}

void ClientGetName(Call& call) {
  if (call.client().name.empty()) return call.reply().Null();
  call.reply().Bulk(call.client().name);
}

void ClientSetName(Call& call) {
  if (!IsShowable(call.arg(2))) return call.reply().Error(error_texts::kBadClientName);
  call.client().name = call.arg(2);
  call.reply().SimpleString("OK");
}

void ClientSetInfo(Call& call) {
  const bool is_name = EqualsIgnoringCase(call.arg(2), "lib-name");
  if (!is_name && !EqualsIgnoringCase(call.arg(2), "lib-ver")) {
    return call.reply().Error(error_texts::UnrecognizedOption(call.arg(2)));
  }
  if (!IsShowable(call.arg(3))) {
    return call.reply().Error(error_texts::BadClientInfo(is_name ? "lib-name" : "lib-ver"));
  }
  (is_name ? call.client().lib_name : call.client().lib_version) = call.arg(3);
  call.reply().SimpleString("OK");
}

// ON or OFF, as the third argument; nothing: the error has been replied.
std::optional<bool> ParseOnOff(Call& call) {
  const bool on = EqualsIgnoringCase(call.arg(2), "on");
  if (on || EqualsIgnoringCase(call.arg(2), "off")) return on;
  call.reply().Error(error_texts::kSyntax);
  return std::nullopt;
}

void ClientNoEvict(Call& call) {
  const auto on = ParseOnOff(call);
  if (!on) return;
  call.client().is_evictable = !*on;
  call.reply().SimpleString("OK");
}

void ClientNoTouch(Call& call) {
  const auto on = ParseOnOff(call);
  if (!on) return;
  call.client().touches = !*on;
  call.reply().SimpleString("OK");
}

// The connection looks at the mode when this has run: only ON is answered.
void ClientReply(Call& call) {
  ReplyMode& mode = call.client().reply_mode;
  if (EqualsIgnoringCase(call.arg(2), "on")) {
    mode = ReplyMode::kOn;
    call.reply().SimpleString("OK");
  } else if (EqualsIgnoringCase(call.arg(2), "off")) {
    mode = ReplyMode::kOff;
  } else if (EqualsIgnoringCase(call.arg(2), "skip")) {
    if (mode != ReplyMode::kOff) mode = ReplyMode::kSkipNext;
  } else {
    call.reply().Error(error_texts::kSyntax);
  }
}

// ---- lists

void ClientInfo(Call& call) {
  call.reply().Verbatim("txt", ClientLine(call.connection(), call.now()));
}

using Lines = std::vector<std::pair<uint64_t, std::string>>;  // by id

void ClientList(Call& call) {
  auto filter = ParseList(call.args().subspan(2));
  if (!filter) return call.reply().Error(filter.error());
  const auto ask = [filter = std::move(*filter), now = call.now()](const Worker& worker) {
    Lines lines;
    worker.ForEachClient([&](ClientConnection& client) {
      if (filter.Fits(client.state(), now))
        lines.emplace_back(client.state().id, ClientLine(client, now));
    });
    return lines;
  };
  ReplyFromAllWorkers<Lines>(call, ask, [](Reply& reply, const std::vector<Lines>& answers) {
    Lines all;
    for (const Lines& lines : answers)
      all.insert(all.end(), lines.begin(), lines.end());
    std::sort(all.begin(), all.end());
    std::string text;
    for (const auto& [id, line] : all)
      text += line;
    reply.Verbatim("txt", text);
  });
}

// ---- those that act on others

// Closes all that fit, on every worker; the one that asks gets its reply first.
void Kill(Call& call, ClientFilter filter,
          void (*write)(Reply& reply, const std::vector<int64_t>& killed)) {
  const uint64_t self = call.client().id;
  const bool kills_self = filter.Fits(call.client(), call.now());
  if (kills_self) call.CloseAfterReply();
  const auto ask = [filter = std::move(filter), now = call.now(), self](const Worker& worker) {
    int64_t killed = 0;
    worker.ForEachClient([&](ClientConnection& client) {
      if (!filter.Fits(client.state(), now)) return;
      ++killed;
      if (client.state().id != self) client.Close();
    });
    return killed;
  };
  ReplyFromAllWorkers<int64_t>(call, ask, write);
}

int64_t Sum(const std::vector<int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

void ClientKill(Call& call) {
  if (call.args().size() == 3) {
    ClientFilter filter;
    filter.address = call.arg(2);
    return Kill(call, std::move(filter), [](Reply& reply, const std::vector<int64_t>& killed) {
      if (Sum(killed) == 0) return reply.Error(error_texts::kNoSuchClient);
      reply.SimpleString("OK");
    });
  }
  auto filter = ParseKill(call.args().subspan(2), call.client().id);
  if (!filter) return call.reply().Error(filter.error());
  Kill(call, std::move(*filter),
       [](Reply& reply, const std::vector<int64_t>& killed) { reply.Integer(Sum(killed)); });
}

void WriteOk(Reply& reply, const std::vector<bool>&) {
  reply.SimpleString("OK");
}

// Answered when every worker holds back.
void ClientPause(Call& call) {
  if (call.args().size() > 4) return call.reply().Error(error_texts::WrongArity("client|pause"));
  PauseMode mode = PauseMode::kAll;
  if (call.args().size() == 4) {
    if (EqualsIgnoringCase(call.arg(3), "write")) {
      mode = PauseMode::kWrites;
    } else if (!EqualsIgnoringCase(call.arg(3), "all")) {
      return call.reply().Error(error_texts::kBadPauseMode);
    }
  }
  const auto milliseconds = ParseInteger(call.arg(2));
  if (!milliseconds) return call.reply().Error(error_texts::kTimeoutNotAnInteger);
  if (*milliseconds < 0) return call.reply().Error(error_texts::kTimeoutNegative);
  constexpr int64_t kYear = 365LL * 24 * 3600 * 1000;
  const cache::Instant until =
      call.now() + std::chrono::milliseconds(std::min(*milliseconds, kYear));
  ReplyFromAllWorkers<bool>(
      call,
      [mode, until](Worker& worker) {
        worker.Pause(mode, until);
        return true;
      },
      WriteOk);
}

void ClientUnpause(Call& call) {
  ReplyFromAllWorkers<bool>(
      call,
      [](Worker& worker) {
        worker.Unpause();
        return true;
      },
      WriteOk);
}

constexpr uint32_t kAnyTime = kFlagNoScript | kFlagLoading | kFlagStale;

constexpr Command kRows[] = {
    {.name = "client",
     .arity = -2,
     .handler = RunSubcommand,
     .summary = "Commands about this connection and the others.",
     .since = "2.4.0",
     .group = "connection",
     .arguments = "subcommand"},
    {.name = "client|getname",
     .arity = 2,
     .flags = kAnyTime,
     .handler = ClientGetName,
     .summary = "The connection's name; null if it has none.",
     .since = "2.6.9",
     .group = "connection",
     .arguments = ""},
    {.name = "client|id",
     .arity = 2,
     .flags = kAnyTime,
     .handler = ClientId,
     .summary = "The connection's number: unique and rising while the node lives.",
     .since = "5.0.0",
     .group = "connection",
     .arguments = ""},
    {.name = "client|info",
     .arity = 2,
     .flags = kAnyTime,
     .handler = ClientInfo,
     .summary = "This connection, as a line of CLIENT LIST.",
     .since = "6.2.0",
     .group = "connection",
     .arguments = ""},
    {.name = "client|kill",
     .arity = -3,
     .flags = kFlagAdmin | kAnyTime,
     .handler = ClientKill,
     .summary =
         "Closes clients of this node: the one at the address, or all that fit every filter.",
     .since = "2.4.0",
     .group = "connection",
     .arguments =
         "ip:port | [ID client-id] [TYPE NORMAL | MASTER | SLAVE | REPLICA | PUBSUB] [USER "
         "username] [ADDR ip:port] [LADDR ip:port] [SKIPME YES | NO] [MAXAGE seconds]"},
    {.name = "client|list",
     .arity = -2,
     .flags = kFlagAdmin | kAnyTime,
     .handler = ClientList,
     .summary = "The clients of this node, a line each.",
     .since = "2.4.0",
     .group = "connection",
     .arguments = "[TYPE NORMAL | MASTER | REPLICA | PUBSUB] [ID client-id [client-id ...]]"},
    {.name = "client|no-evict",
     .arity = 3,
     .flags = kFlagAdmin | kAnyTime,
     .handler = ClientNoEvict,
     .summary =
         "Whether this client is spared when clients are closed because `server.memory` is full.",
     .since = "7.0.0",
     .group = "connection",
     .arguments = "ON | OFF"},
    {.name = "client|no-touch",
     .arity = 3,
     .flags = kAnyTime,
     .handler = ClientNoTouch,
     .summary = "Whether this client's reads leave the order of eviction as it is.",
     .since = "7.2.0",
     .group = "connection",
     .arguments = "ON | OFF"},
    {.name = "client|pause",
     .arity = -3,
     .flags = kFlagAdmin | kAnyTime,
     .handler = ClientPause,
     .summary = "Holds back the requests of all clients of this node, or their writes, until the "
                "time is over; CLIENT itself always runs.",
     .since = "3.0.0",
     .group = "connection",
     .arguments = "timeout [WRITE | ALL]"},
    {.name = "client|reply",
     .arity = 3,
     .flags = kAnyTime,
     .handler = ClientReply,
     .summary = "Whether this client gets replies; SKIP leaves out the next one.",
     .since = "3.2.0",
     .group = "connection",
     .arguments = "ON | OFF | SKIP"},
    {.name = "client|setinfo",
     .arity = 4,
     .flags = kAnyTime,
     .handler = ClientSetInfo,
     .summary = "Notes the name or the version of the client's library.",
     .since = "7.2.0",
     .group = "connection",
     .arguments = "LIB-NAME libname | LIB-VER libver"},
    {.name = "client|setname",
     .arity = 3,
     .flags = kAnyTime,
     .handler = ClientSetName,
     .summary = "Names the connection; the empty name takes it away.",
     .since = "2.6.9",
     .group = "connection",
     .arguments = "connection-name"},
    {.name = "client|unpause",
     .arity = 2,
     .flags = kFlagAdmin | kAnyTime,
     .handler = ClientUnpause,
     .summary = "Ends what CLIENT PAUSE began.",
     .since = "6.2.0",
     .group = "connection",
     .arguments = ""},
};

}  // namespace

std::span<const Command> ClientCommands() {
  return kRows;
}

}  // namespace cistern::server
