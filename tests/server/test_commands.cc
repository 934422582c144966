#include <algorithm>
#include <charconv>

#include "server/call.h"
#include "server/client_connection.h"
#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

size_t Number(std::string_view text) {
  size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void Log(Call& call) {
  if (!State().logs) return;
  std::string text(call.command().name);
  for (const std::string_view arg : call.args().subspan(1))
    text.append(" ").append(arg);
  State().log.push_back(
      {call.client().id, call.worker().loop().turn(), text, call.deadline() - call.now()});
}

void Ping(Call& call) {
  Log(call);
  call.reply().SimpleString("PONG");
}

void Echo(Call& call) {
  Log(call);
  call.reply().Bulk(call.arg(1));
}

void Big(Call& call) {
  Log(call);
  call.reply().Bulk(std::string(Number(call.arg(1)), 'b'));
}

void Pinned(Call& call) {
  call.reply().Bulk(*cache::MakeBlob(std::string(Number(call.arg(1)), 'p')));
}

void Quit(Call& call) {
  call.reply().SimpleString("OK");
  call.CloseAfterReply();
}

void Auth(Call& call) {
  call.client().authenticated = call.arg(1) == call.worker().config().server.password;
  call.reply().SimpleString(call.client().authenticated ? "OK" : "NO");
}

void Hello3(Call& call) {
  call.client().protocol = resp::Protocol::kResp3;
  call.reply().set_protocol(resp::Protocol::kResp3);
  call.reply().Map(0);
}

void Absent(Call& call) {
  call.reply().Null();
}

void ReplyValue(Reply& reply, std::string_view key) {
  const auto found = State().values.find(key);
  if (found == State().values.end()) return reply.Null();
  reply.Bulk(found->second);
}

void Get(Call& call) {
  Log(call);
  ReplyValue(call.reply(), call.key().bytes);
}

void Set(Call& call) {
  Log(call);
  State().values[std::string(call.arg(1))] = call.arg(2);
  call.reply().SimpleString("OK");
}

void Slow(Call& call) {
  Log(call);
  const std::string key(call.arg(1));
  State().started.push_back(key);
  const PendingReplyPtr pending = call.Pend();
  pending->OnAbandon([key] { State().abandoned.push_back(key); });
  State().pending.emplace(key, pending);
}

void Instant(Call& call) {
  const PendingReplyPtr pending = call.Pend();
  pending->reply().Bulk(call.arg(1));
  pending->Finish();
}

void GetLater(Call& call) {
  State().jobs.push_back([key = std::string(call.arg(1)), pending = call.Pend()] {
    ReplyValue(pending->reply(), key);
    pending->Finish();
  });
}

void SetLater(Call& call) {
  State().jobs.push_back(
      [key = std::string(call.arg(1)), value = std::string(call.arg(2)), pending = call.Pend()] {
        State().values[key] = value;
        pending->reply().SimpleString("OK");
        pending->Finish();
      });
}

void CloseOthers(Call& call) {
  call.worker().ForEachClient([&](ClientConnection& client) {
    if (&client != &call.connection()) client.Close();
  });
  call.reply().SimpleString("OK");
}

void Pause(Call& call) {
  call.worker().Pause(PauseMode::kAll, call.now() + std::chrono::hours(1));
  call.reply().SimpleString("OK");
}

void RunJobs(Call& call) {
  for (const auto& job : std::exchange(State().jobs, {}))
    job();
  call.reply().SimpleString("OK");
}

Command Row(std::string_view name, int arity, Access access, void (*handler)(Call&),
            uint32_t flags = 0, int last_key = 1) {
  Command row;
  row.name = name;
  row.arity = arity;
  row.flags = flags;
  row.access = access;
  row.handler = handler;
  if (access == Access::kRead || access == Access::kWrite) {
    row.first_key = row.step = 1;
    row.last_key = last_key;
  }
  return row;
}

}  // namespace

TestState& State() {
  static TestState state;
  return state;
}

TestCommands::TestCommands()
    : rows_{Row("ping", -1, Access::kNone, Ping),
            Row("echo", 2, Access::kNone, Echo),
            Row("big", 2, Access::kNone, Big),
            Row("pinned", 2, Access::kNone, Pinned),
            Row("quit", 1, Access::kNone, Quit, kFlagNoAuth),
            Row("auth", 2, Access::kNone, Auth, kFlagNoAuth),
            Row("hello3", 1, Access::kNone, Hello3, kFlagNoAuth),
            Row("absent", 2, Access::kRead, Absent),
            Row("closeothers", 1, Access::kNone, CloseOthers),
            Row("pause", 1, Access::kNone, Pause),
            Row("runjobs", 1, Access::kNone, RunJobs),
            Row("allabsent", -2, Access::kRead, Absent, 0, -1),
            Row("get", 2, Access::kRead, Get, kFlagReadonly),
            Row("set", 3, Access::kWrite, Set),
            Row("slow", 2, Access::kRead, Slow),
            Row("slowset", 2, Access::kWrite, Slow),
            Row("slowall", 2, Access::kBarrier, Slow),
            Row("instant", 2, Access::kRead, Instant),
            Row("getlater", 2, Access::kRead, GetLater),
            Row("setlater", 3, Access::kWrite, SetLater)} {}

const Command* TestCommands::FindCommand(std::string_view name) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Command& row) {
    return std::equal(name.begin(), name.end(), row.name.begin(), row.name.end(),
                      [](char a, char b) { return (a | 0x20) == b || a == b; });
  });
  return found == rows_.end() ? nullptr : &*found;
}

}  // namespace cistern::server
