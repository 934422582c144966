// The connection itself: AUTH ECHO HELLO PING QUIT RESET SELECT.
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
