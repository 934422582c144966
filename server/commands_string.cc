// Reading values: GET MGET STRLEN. (Writing them: commands_string_write.cc.)
#include "server/command_table.h"
#include "server/key_reads.h"

namespace cistern::server {
namespace {

void WriteValue(Reply& reply, const cache::Found& found) {
  if (found.kind != cache::Found::Kind::kValue) return reply.Null();
  if (found.blob != nullptr) return reply.Bulk(*found.blob);
  reply.Bulk(found.value);
}

void MGet(Call& call) {
  ReadMany(call, ReadValues::Keep::kValues, [](Reply& reply, const ReadValues& values) {
    reply.Array(values.size());
    for (size_t i = 0; i < values.size(); ++i)
      values.Write(i, reply);
  });
}

void WriteLength(Reply& reply, const cache::Found& found) {
  reply.Integer(static_cast<int64_t>(found.value.size()));
}

constexpr Command kRows[] = {
    {.name = "get",
     .arity = 2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = ReadOne,
     .found = WriteValue,
     .summary = "The value of a key, loaded from its group's backend if no node has it.",
     .since = "1.0.0",
     .group = "string",
     .arguments = "key"},
    {.name = "mget",
     .arity = -2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = -1,
     .step = 1,
     .access = Access::kRead,
     .handler = MGet,
     .summary = "The values of several keys, loaded together where they are missing. One error if "
                "any key failed.",
     .since = "1.0.0",
     .group = "string",
     .arguments = "key [key ...]"},
    {.name = "strlen",
     .arity = 2,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = ReadOne,
     .found = WriteLength,
     .summary = "The length of a key's value in bytes, loaded like GET; 0 if there is none.",
     .since = "2.2.0",
     .group = "string",
     .arguments = "key"},
};

}  // namespace

std::span<const Command> StringCommands() {
  return kRows;
}

}  // namespace cistern::server
