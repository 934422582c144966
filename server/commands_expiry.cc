// How long values live: EXPIRE EXPIREAT EXPIRETIME PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PTTL TTL.
#include "server/arguments.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/life.h"
#include "server/owner_call.h"

namespace cistern::server {
namespace {

using cache::Result;
using cluster::CommandReply;

// NX, XX, GT and LT: when a new end may replace the present one.
struct ExpireCondition {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;

  // No end is later than any. In milliseconds, as clients give and see them.
  bool Allows(cache::Instant present, cache::Instant fresh, const TimeReading& time) const {
    const bool has_end = present != cache::kNever;
    if (nx && has_end) return false;
    if ((xx || gt) && !has_end) return false;
    if (gt && time.SinceEpoch(fresh) <= time.SinceEpoch(present)) return false;
    return !lt || !has_end || time.SinceEpoch(fresh) < time.SinceEpoch(present);
  }
};

tl::expected<ExpireCondition, std::string> ParseCondition(std::span<const std::string_view> args) {
  ExpireCondition condition;
  for (const std::string_view arg : args) {
    const std::string word = LowerCase(arg);
    bool* said = word == "nx"   ? &condition.nx
                 : word == "xx" ? &condition.xx
                 : word == "gt" ? &condition.gt
                 : word == "lt" ? &condition.lt
                                : nullptr;
    if (said == nullptr) return tl::unexpected(error_texts::UnsupportedOption(arg));
    *said = true;
  }
  if (condition.nx && (condition.xx || condition.gt || condition.lt)) {
    return tl::unexpected(std::string(error_texts::kExpireNxWithOthers));
  }
  if (condition.gt && condition.lt) {
    return tl::unexpected(std::string(error_texts::kExpireGtWithLt));
  }
  return condition;
}

template <LifeUnit unit, bool is_absolute>
Result<CommandReply> ExpireHere(OwnerCall& call) {
  const auto condition = ParseCondition(call.args.subspan(3));
  if (!condition) return Refusal(condition.error());
  const TimeReading time(call.executor.clock());
  const auto end =
      time.EndOf({call.args[2], unit, is_absolute}, call.command.name, PastEnds::kAllowed);
  if (!end) return Refusal(end.error());
  const Result<bool> changed = call.Update(cache::Touches::kLife, [&](const cache::Entry* present) {
    const bool is_set = present != nullptr && condition->Allows(present->expires(), *end, time);
    return is_set ? cache::Change::Live(*end) : cache::Change::None();
  });
  if (!changed) return tl::unexpected(changed.error());
  return CommandReply{int64_t{*changed}};
}

Result<CommandReply> PersistHere(OwnerCall& call) {
  const Result<bool> changed = call.Update(cache::Touches::kLife, [](const cache::Entry* present) {
    const bool ends = present != nullptr && present->expires() != cache::kNever;
    return ends ? cache::Change::Live(cache::kNever) : cache::Change::None();
  });
  if (!changed) return tl::unexpected(changed.error());
  return CommandReply{int64_t{*changed}};
}

template <LifeUnit unit, bool is_absolute>
Result<CommandReply> TtlHere(OwnerCall& call) {
  const Result<std::optional<cache::Instant>> end = call.cache.EndHere(call.key());
  if (!end) return tl::unexpected(end.error());
  if (!*end) return CommandReply{kTtlOfAbsentKey};
  if (**end == cache::kNever) return CommandReply{kTtlOfEndlessKey};
  const TimeReading time(call.executor.clock());
  const int64_t ms = is_absolute ? time.SinceEpoch(**end) : time.Left(**end);
  return CommandReply{InUnit(ms, unit)};
}

constexpr Command kRows[] = {
    {.name = "expire",
     .arity = -3,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = ExpireHere<LifeUnit::kSeconds, false>,
     .summary = "Gives a key's value an end, so many seconds from now, at its owner; one that has "
                "passed drops the value. 1, or 0 where the owner holds none, the condition does "
                "not hold, or the group takes no writes and the value would live longer than "
                "before.",
     .since = "1.0.0",
     .group = "generic",
     .arguments = "key seconds [NX | XX | GT | LT]"},
    {.name = "expireat",
     .arity = -3,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = ExpireHere<LifeUnit::kSeconds, true>,
     .summary = "As EXPIRE, with the end in seconds since 1970, by the owner's wall clock at that "
                "moment.",
     .since = "1.2.0",
     .group = "generic",
     .arguments = "key unix-time-seconds [NX | XX | GT | LT]"},
    {.name = "expiretime",
     .arity = 2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = RunAtOwner,
     .at_owner = TtlHere<LifeUnit::kSeconds, true>,
     .summary = "When a key's value ends, in seconds since 1970; -1: never, -2: its owner holds "
                "none. Loads nothing.",
     .since = "7.0.0",
     .group = "generic",
     .arguments = "key"},
    {.name = "persist",
     .arity = 2,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = PersistHere,
     .summary = "Takes the end from a key's value: it lives until it is evicted. 1, or 0 where the "
                "owner holds none, it had no end, or the group takes no writes.",
     .since = "2.2.0",
     .group = "generic",
     .arguments = "key"},
    {.name = "pexpire",
     .arity = -3,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = ExpireHere<LifeUnit::kMilliseconds, false>,
     .summary = "As EXPIRE, in milliseconds.",
     .since = "2.6.0",
     .group = "generic",
     .arguments = "key milliseconds [NX | XX | GT | LT]"},
    {.name = "pexpireat",
     .arity = -3,
     .flags = kFlagWrite | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = ExpireHere<LifeUnit::kMilliseconds, true>,
     .summary = "As EXPIREAT, in milliseconds.",
     .since = "2.6.0",
     .group = "generic",
     .arguments = "key unix-time-milliseconds [NX | XX | GT | LT]"},
    {.name = "pexpiretime",
     .arity = 2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = RunAtOwner,
     .at_owner = TtlHere<LifeUnit::kMilliseconds, true>,
     .summary = "As EXPIRETIME, in milliseconds.",
     .since = "7.0.0",
     .group = "generic",
     .arguments = "key"},
    {.name = "pttl",
     .arity = 2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = RunAtOwner,
     .at_owner = TtlHere<LifeUnit::kMilliseconds, false>,
     .summary = "The milliseconds that a key's owner still keeps its value; -1: no end, -2: it "
                "holds none. Loads nothing.",
     .since = "2.6.0",
     .group = "generic",
     .arguments = "key"},
    {.name = "ttl",
     .arity = 2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = RunAtOwner,
     .at_owner = TtlHere<LifeUnit::kSeconds, false>,
     .summary = "The seconds that a key's owner still keeps its value; -1: no end, -2: it holds "
                "none. Loads nothing.",
     .since = "1.0.0",
     .group = "generic",
     .arguments = "key"},
};

}  // namespace

std::span<const Command> ExpiryCommands() {
  return kRows;
}

}  // namespace cistern::server
