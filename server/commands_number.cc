// Values that are numbers: DECR DECRBY INCR INCRBY INCRBYFLOAT.
#include <cmath>
#include <limits>

#include "server/arguments.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/floats.h"
#include "server/value_edit.h"

namespace cistern::server {
namespace {

using cache::Result;
using cluster::CommandReply;

Edit NoChange(std::string_view error) {
  return Edit::None(Refusal(std::string(error)));
}

// An absent key counts as 0.
Result<CommandReply> Add(OwnerCall& call, int64_t delta) {
  return EditHere(call, [delta](std::optional<std::string_view> present) {
    const auto value = ParseInteger(present.value_or("0"));
    if (!value) return NoChange(error_texts::kNotAnInteger);
    int64_t sum = 0;
    if (__builtin_add_overflow(*value, delta, &sum)) return NoChange(error_texts::kWouldOverflow);
    return Edit::To(std::to_string(sum), {sum});
  });
}

template <int64_t delta>
Result<CommandReply> StepHere(OwnerCall& call) {
  return Add(call, delta);
}

Result<CommandReply> IncrByHere(OwnerCall& call) {
  const auto delta = ParseInteger(call.args[2]);
  if (!delta) return Refusal(std::string(error_texts::kNotAnInteger));
  return Add(call, *delta);
}

Result<CommandReply> DecrByHere(OwnerCall& call) {
  const auto delta = ParseInteger(call.args[2]);
  if (!delta) return Refusal(std::string(error_texts::kNotAnInteger));
  if (*delta == std::numeric_limits<int64_t>::min()) {
    return Refusal(std::string(error_texts::kDecrementWouldOverflow));
  }
  return Add(call, -*delta);
}

Result<CommandReply> IncrByFloatHere(OwnerCall& call) {
  return EditHere(call, [&](std::optional<std::string_view> present) {
    const auto value = ParseFloat(present.value_or("0"));
    const auto delta = ParseFloat(call.args[2]);
    if (!value || !delta) return NoChange(error_texts::kNotAFloat);
    const long double sum = *value + *delta;
    if (!std::isfinite(sum)) return NoChange(error_texts::kWouldBeNanOrInfinity);
    const std::string text = ShowFloat(sum);
    return Edit::To(text, {cache::MakeBlob(text)});
  });
}

// All are alike but for these.
constexpr Command Row(std::string_view name, int arity, std::string_view since,
                      std::string_view arguments, std::string_view summary,
                      Result<CommandReply> (*at_owner)(OwnerCall&)) {
  return {.name = name,
          .arity = arity,
          .flags = kFlagWrite | kFlagDenyOom | kFlagFast,
          .first_key = 1,
          .last_key = 1,
          .step = 1,
          .access = Access::kWrite,
          .handler = RunAtOwner,
          .at_owner = at_owner,
          .summary = summary,
          .since = since,
          .group = "string",
          .arguments = arguments};
}

constexpr Command kRows[] = {
    Row("decr", 2, "1.0.0", "key", "As INCRBY key -1.", StepHere<-1>),
    Row("decrby", 3, "1.0.0", "key decrement", "As INCRBY with the number's negative.", DecrByHere),
    Row("incr", 2, "1.0.0", "key", "As INCRBY key 1.", StepHere<1>),
    Row("incrby", 3, "1.0.0", "key increment",
        "Adds to the integer that the owner holds, an absent key counting as 0; answers the sum. "
        "The value keeps its life.",
        IncrByHere),
    Row("incrbyfloat", 3, "2.6.0", "key increment",
        "Adds to the number that the owner holds, an absent key counting as 0; answers the sum as "
        "a bulk string.",
        IncrByFloatHere),
};

}  // namespace

std::span<const Command> NumberCommands() {
  return kRows;
}

}  // namespace cistern::server
