#include "server/owner_commands.h"

#include "server/arguments.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/owner_call.h"

namespace cistern::server {

using cache::Executor;
using cache::Result;
using cluster::CommandReply;

Result<CommandReply> OwnerCommands::Run(Executor& executor, std::span<const std::string_view> args,
                                        cache::Recalls* recalls) {
  const std::string_view name = args.empty() ? std::string_view() : args[0];
  const Command* command = AllCommands::Get().FindCommand(name);
  if (command == nullptr || command->at_owner == nullptr) {
    return Refusal("ERR command '" + LowerCase(name) + "' does not run at a key's owner");
  }
  if (!FitsArity(*command, args.size())) return Refusal(error_texts::WrongArity(command->name));
  OwnerCall call{cache_, executor, *command, args, recalls};
  return command->at_owner(call);
}

void OwnerCommands::Run(Executor& executor, std::vector<std::string> args, Done done) {
  cache::Recalls recalls;
  const std::vector<std::string_view> views(args.begin(), args.end());
  auto reply = Run(executor, views, &recalls);
  cache_.Confirm(executor, std::move(recalls), [done, reply] { done->Done(reply); });
}

}  // namespace cistern::server
