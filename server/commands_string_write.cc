// Writing values: GETDEL GETEX GETSET MSET PSETEX SET SETEX SETNX.
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/owner_call.h"
#include "server/set_options.h"

namespace cistern::server {
namespace {

using cache::BlobPtr;
using cache::Change;
using cache::Entry;
using cache::Instant;
using cache::Result;
using cache::Touches;
using cluster::CommandReply;
using Null = CommandReply::Null;

// Under the shard's lock: large values are pinned, small ones copied.
CommandReply ValueOf(const Entry* present) {
  if (present == nullptr) return {Null{}};
  return {cache::LoadedFrom(*present).value};
}

tl::expected<Instant, std::string> EndOf(const OwnerCall& call, const LifeWords& words) {
  return TimeReading(call.executor.clock()).EndOf(words, call.command.name, PastEnds::kRefused);
}

struct Storing {
  BlobPtr value;
  Instant end;
  SetCondition condition = SetCondition::kAlways;
  bool get = false;
  bool keep_life = false;
};

// OK, or null where the condition does not hold; the old value instead of both where `get` is set.
Result<CommandReply> Store(OwnerCall& call, Storing storing) {
  CommandReply old;
  const auto stored = call.Update(Touches::kValue, [&](const Entry* present) {
    if (storing.get) old = ValueOf(present);
    const bool wants_present = storing.condition == SetCondition::kIfPresent;
    if (storing.condition != SetCondition::kAlways && wants_present != (present != nullptr)) {
      return Change::None();
    }
    const bool keeps = storing.keep_life && present != nullptr;
    return Change::Store(std::move(storing.value), keeps ? present->expires() : storing.end);
  });
  if (!stored) return tl::unexpected(stored.error());
  if (storing.get) return old;
  if (!*stored) return CommandReply{Null{}};
  return CommandReply{CommandReply::Status{"OK"}};
}

Result<CommandReply> SetHere(OwnerCall& call) {
  const auto options = ParseSetOptions(call.args.subspan(3));
  if (!options) return Refusal(options.error());
  tl::expected<Instant, std::string> end = call.EndOfNewValue();
  if (options->life) end = EndOf(call, *options->life);
  if (!end) return Refusal(end.error());
  return Store(call, {.value = cache::MakeBlob(call.args[2]),
                      .end = *end,
                      .condition = options->condition,
                      .get = options->get,
                      .keep_life = options->keep_life});
}

template <LifeUnit unit>
Result<CommandReply> SetExHere(OwnerCall& call) {
  const auto end = EndOf(call, {call.args[2], unit, false});
  if (!end) return Refusal(end.error());
  return Store(call, {.value = cache::MakeBlob(call.args[3]), .end = *end});
}

Result<CommandReply> SetNxHere(OwnerCall& call) {
  auto reply = Store(call, {.value = cache::MakeBlob(call.args[2]),
                            .end = call.EndOfNewValue(),
                            .condition = SetCondition::kIfAbsent});
  if (!reply) return reply;
  return CommandReply{int64_t{std::holds_alternative<Null>(reply->value) ? 0 : 1}};
}

Result<CommandReply> GetSetHere(OwnerCall& call) {
  return Store(call,
               {.value = cache::MakeBlob(call.args[2]), .end = call.EndOfNewValue(), .get = true});
}

// Stops at the first key that fails: those before it are stored.
Result<CommandReply> MSetHere(OwnerCall& call) {
  if (call.args.size() % 2 == 0) return Refusal(error_texts::WrongArity(call.command.name));
  for (size_t i = 1; i < call.args.size(); i += 2) {
    OwnerCall one = call;
    one.args = call.args.subspan(i - 1, 3);  // a name, the key, its value
    auto reply = Store(one, {.value = cache::MakeBlob(one.args[2]), .end = one.EndOfNewValue()});
    if (!reply) return reply;
  }
  return CommandReply{CommandReply::Status{"OK"}};
}

// An absent key is invalidated too, as by DEL: copies of it may be about.
Result<CommandReply> GetDelHere(OwnerCall& call) {
  CommandReply old;
  const auto erased = call.Update(Touches::kLife, [&](const Entry* present) {
    old = ValueOf(present);
    return Change::Erase();
  });
  if (!erased) return tl::unexpected(erased.error());
  return old;
}

// As in Redis, an absent key is null before its end is looked at.
Result<CommandReply> GetExHere(OwnerCall& call) {
  const auto options = ParseGetExOptions(call.args.subspan(2));
  if (!options) return Refusal(options.error());
  tl::expected<Instant, std::string> end = cache::kNever;
  if (options->life) end = EndOf(call, *options->life);
  CommandReply reply;
  const auto changed = call.Update(Touches::kLife, [&](const Entry* present) {
    reply = ValueOf(present);
    if (present == nullptr) return Change::None();
    if (!end) reply = Refusal(end.error());
    const bool is_same = options->life ? !end : !options->persist || present->expires() == *end;
    return is_same ? Change::None() : Change::Live(*end);
  });
  if (!changed) return tl::unexpected(changed.error());
  return reply;
}

constexpr Command kRows[] = {
    {.name = "getdel",
     .arity = 2,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwnerOrLoad,
     .at_owner = GetDelHere,
     .summary = "The value of a key, which is dropped from every node's cache as by DEL, not from "
                "the backend; loaded like GET if the owner does not hold it.",
     .since = "6.2.0",
     .group = "string",
     .arguments = "key"},
    {.name = "getex",
     .arity = -2,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwnerOrLoad,
     .at_owner = GetExHere,
     .summary = "The value of a key, loaded like GET, and another end for it, as by EXPIRE or "
                "PERSIST; in a group that takes no writes only an earlier one.",
     .since = "6.2.0",
     .group = "string",
     .arguments = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
                  "unix-time-milliseconds | PERSIST]"},
    {.name = "getset",
     .arity = 3,
     .flags = kFlagWrite | kFlagDenyOom | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = GetSetHere,
     .summary = "As SET key value GET.",
     .since = "1.0.0",
     .group = "string",
     .arguments = "key value"},
    {.name = "mset",
     .arity = -3,
     .flags = kFlagWrite | kFlagDenyOom,
     .first_key = 1,
     .last_key = -1,
     .step = 2,
     .access = Access::kWrite,
     .handler = RunAtOwners,
     .at_owner = MSetHere,
     .summary = "As SET of each key, one request to each owner. OK once all have confirmed. Unlike "
                "in Redis the keys do not change at one moment, and after an error some of them "
                "may have changed.",
     .since = "1.0.1",
     .group = "string",
     .arguments = "key value [key value ...]"},
    {.name = "psetex",
     .arity = 4,
     .flags = kFlagWrite | kFlagDenyOom,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = SetExHere<LifeUnit::kMilliseconds>,
     .summary = "As SET key value PX milliseconds.",
     .since = "2.6.0",
     .group = "string",
     .arguments = "key milliseconds value"},
    {.name = "set",
     .arity = -3,
     .flags = kFlagWrite | kFlagDenyOom,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = SetHere,
     .summary = "Stores a value at the key's owner, where the group's `writes` permit it, and "
                "recalls every copy before it answers. Without a word about its life it lives for "
                "the group's `ttl`. NX, XX and GET see what the owner holds; they load nothing.",
     .since = "1.0.0",
     .group = "string",
     .arguments = "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT "
                  "unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]"},
    {.name = "setex",
     .arity = 4,
     .flags = kFlagWrite | kFlagDenyOom,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = SetExHere<LifeUnit::kSeconds>,
     .summary = "As SET key value EX seconds.",
     .since = "2.0.0",
     .group = "string",
     .arguments = "key seconds value"},
    {.name = "setnx",
     .arity = 3,
     .flags = kFlagWrite | kFlagDenyOom | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = SetNxHere,
     .summary = "As SET key value NX, but answers 1 or 0.",
     .since = "1.0.0",
     .group = "string",
     .arguments = "key value"},
};

}  // namespace

std::span<const Command> StringWriteCommands() {
  return kRows;
}

}  // namespace cistern::server
