// The connection itself: AUTH CLIENT ECHO HELLO PING QUIT RESET SELECT.
#include <algorithm>
#include <optional>

#include "server/arguments.h"
#include "server/call.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/node.h"
#include "server/password.h"
#include "server/version.h"
#include "server/worker.h"

namespace cistern::server {
namespace {

constexpr uint32_t kAnyTime = kFlagNoScript | kFlagLoading | kFlagStale | kFlagFast;

// Names of clients are shown in lists that are separated by spaces.
bool IsShowable(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}

std::string_view Password(Call& call) {
  return call.worker().config().server.password;
}

void Auth(Call& call) {
  if (call.args().size() > 3) return call.reply().Error(error_texts::kSyntax);
  const bool named = call.args().size() == 3;
  if (!named && Password(call).empty()) return call.reply().Error(error_texts::kNoPasswordSet);
  const std::string_view user = named ? call.arg(1) : "default";
  if (!MayEnter(user, call.arg(named ? 2 : 1), Password(call))) {
    return call.reply().Error(error_texts::kWrongPass);
  }
  call.client().authenticated = true;
  call.reply().SimpleString("OK");
}

// The options of HELLO, checked before any of them takes effect.
struct HelloOptions {
  std::optional<int64_t> protocol;
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

// Nothing: the error has been replied.
std::optional<HelloOptions> ParseHello(Call& call) {
  HelloOptions options;
  const auto args = call.args();
  const auto refuse = [&call](std::string_view text) {
    call.reply().Error(text);
    return std::nullopt;
  };
  if (args.size() > 1) {
    options.protocol = ParseInteger(args[1]);
    if (!options.protocol) return refuse(error_texts::kBadProto);
    if (options.protocol != 2 && options.protocol != 3) return refuse(error_texts::kNoProto);
  }
  for (size_t i = 2; i < args.size(); ++i) {
    const size_t more = args.size() - i - 1;
    if (EqualsIgnoringCase(args[i], "auth") && more >= 2) {
      options.user = args[i + 1];
      options.password = args[i + 2];
      i += 2;
    } else if (EqualsIgnoringCase(args[i], "setname") && more >= 1) {
      options.name = args[++i];
      if (!IsShowable(*options.name)) return refuse(error_texts::kBadClientName);
    } else {
      return refuse(error_texts::BadHelloOption(args[i]));
    }
  }
  return options;
}

void WriteHello(Call& call) {
  Reply& reply = call.reply();
  const auto field = [&reply](std::string_view name, std::string_view value) {
    reply.Bulk(name);
    reply.Bulk(value);
  };
  reply.Map(9);
  field("server", "redis");
  field("version", kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(static_cast<int64_t>(reply.protocol()));
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(call.client().id));
  field("mode", "standalone");
  field("role", "master");
  reply.Bulk("modules");
  reply.Array(0);
  field("cistern_version", kVersion);
  field("cistern_node", call.worker().config().node.name);
}

void Hello(Call& call) {
  const auto options = ParseHello(call);
  if (!options) return;
  ClientState& client = call.client();
  if (options->user) {
    if (!MayEnter(*options->user, options->password, Password(call))) {
      return call.reply().Error(error_texts::kWrongPass);
    }
    client.authenticated = true;
  }
  if (!client.authenticated) return call.reply().Error(error_texts::kNoAuthHello);
  if (options->name) client.name = *options->name;
  if (options->protocol) {
    client.protocol = *options->protocol == 3 ? resp::Protocol::kResp3 : resp::Protocol::kResp2;
    call.reply().set_protocol(client.protocol);
  }
  WriteHello(call);
}

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

void Echo(Call& call) {
  call.reply().Bulk(call.arg(1));
}

void Ping(Call& call) {
  if (call.args().size() > 2) return call.reply().Error(error_texts::WrongArity("ping"));
  if (call.args().size() == 2) return call.reply().Bulk(call.arg(1));
  call.reply().SimpleString("PONG");
}

void Quit(Call& call) {
  call.reply().SimpleString("OK");
  call.CloseAfterReply();
}

void Reset(Call& call) {
  ClientState& client = call.client();
  client.name.clear();
  client.protocol = resp::Protocol::kResp2;
  client.authenticated = Password(call).empty();
  call.reply().set_protocol(client.protocol);
  call.reply().SimpleString("RESET");
}

void Select(Call& call) {
  const auto index = ParseInteger(call.arg(1));
  if (!index) return call.reply().Error(error_texts::kNotAnInteger);
  if (*index != 0) return call.reply().Error(error_texts::kDbOutOfRange);
  call.reply().SimpleString("OK");
}

constexpr Command kRows[] = {
    {.name = "auth",
     .arity = -2,
     .flags = kAnyTime | kFlagNoAuth,
     .handler = Auth,
     .summary = "Authenticates the connection with the password of `server.password`; the one user "
                "is `default`.",
     .since = "1.0.0",
     .group = "connection",
     .arguments = "[username] password"},
    {.name = "client",
     .arity = -2,
     .handler = RunSubcommand,
     .summary = "Commands about this connection.",
     .since = "2.4.0",
     .group = "connection",
     .arguments = "subcommand"},
    {.name = "client|getname",
     .arity = 2,
     .flags = kFlagNoScript | kFlagLoading | kFlagStale,
     .handler = ClientGetName,
     .summary = "The connection's name; null if it has none.",
     .since = "2.6.9",
     .group = "connection",
     .arguments = ""},
    {.name = "client|id",
     .arity = 2,
     .flags = kFlagNoScript | kFlagLoading | kFlagStale,
     .handler = ClientId,
     .summary = "The connection's number: unique and rising while the node lives.",
     .since = "5.0.0",
     .group = "connection",
     .arguments = ""},
    {.name = "client|setinfo",
     .arity = 4,
     .flags = kFlagNoScript | kFlagLoading | kFlagStale,
     .handler = ClientSetInfo,
     .summary = "Notes the name or the version of the client's library.",
     .since = "7.2.0",
     .group = "connection",
     .arguments = "LIB-NAME libname | LIB-VER libver"},
    {.name = "client|setname",
     .arity = 3,
     .flags = kFlagNoScript | kFlagLoading | kFlagStale,
     .handler = ClientSetName,
     .summary = "Names the connection; the empty name takes it away.",
     .since = "2.6.9",
     .group = "connection",
     .arguments = "connection-name"},
    {.name = "echo",
     .arity = 2,
     .flags = kFlagLoading | kFlagStale | kFlagFast,
     .handler = Echo,
     .summary = "Answers the message.",
     .since = "1.0.0",
     .group = "connection",
     .arguments = "message"},
    {.name = "hello",
     .arity = -1,
     .flags = kAnyTime | kFlagNoAuth,
     .handler = Hello,
     .summary = "Chooses RESP2 or RESP3, authenticates and names the connection, and says who the "
                "server is.",
     .since = "6.0.0",
     .group = "connection",
     .arguments = "[protover [AUTH username password] [SETNAME clientname]]"},
    {.name = "ping",
     .arity = -1,
     .flags = kFlagFast,
     .handler = Ping,
     .summary = "Answers PONG, or the message.",
     .since = "1.0.0",
     .group = "connection",
     .arguments = "[message]"},
    {.name = "quit",
     .arity = -1,
     .flags = kAnyTime | kFlagNoAuth,
     .handler = Quit,
     .summary = "Closes the connection once all replies before it have left.",
     .since = "1.0.0",
     .group = "connection",
     .arguments = ""},
    {.name = "reset",
     .arity = 1,
     .flags = kAnyTime | kFlagNoAuth,
     .handler = Reset,
     .summary = "Makes the connection as new: RESP2, no name, not authenticated where a password "
                "is asked for.",
     .since = "6.2.0",
     .group = "connection",
     .arguments = ""},
    {.name = "select",
     .arity = 2,
     .flags = kFlagLoading | kFlagStale | kFlagFast,
     .handler = Select,
     .summary = "There is one database, 0: selecting it is OK, any other an error.",
     .since = "1.0.0",
     .group = "connection",
     .arguments = "index"},
};

}  // namespace

std::span<const Command> ConnectionCommands() {
  return kRows;
}

}  // namespace cistern::server
