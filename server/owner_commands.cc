#include "server/owner_commands.h"

#include "server/arguments.h"
#include "server/error_texts.h"
#include "server/set_options.h"

namespace cistern::server {
namespace {

using cache::Executor;
using cache::Result;
using cluster::CommandReply;

CommandReply Refusal(std::string text) {
  return {CommandReply::Error{std::move(text)}};
}

// A life that has not ended is never 0; seconds are rounded to the nearest.
int64_t Shown(cache::Duration left, int64_t unit_ms) {
  const int64_t ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return (ms + unit_ms / 2) / unit_ms;
}

}  // namespace

Result<CommandReply> OwnerCommands::Run(Executor& executor, std::vector<std::string> args,
                                        cache::Recalls* recalls) {
  const std::string name = args.empty() ? std::string() : LowerCase(args[0]);
  const bool ttl = name == "ttl" || name == "pttl";
  if (!ttl && name != "set") {
    return Refusal("ERR command '" + name + "' does not run at a key's owner");
  }
  if (ttl ? args.size() != 2 : args.size() < 3) return Refusal(error_texts::WrongArity(name));
  if (ttl) return Ttl(args, name == "ttl" ? 1000 : 1);
  return Set(executor, std::move(args), recalls);
}

void OwnerCommands::Run(Executor& executor, std::vector<std::string> args, Done done) {
  cache::Recalls recalls;
  auto reply = Run(executor, std::move(args), &recalls);
  cache_.Confirm(executor, std::move(recalls), [done, reply] { done->Done(reply); });
}

Result<CommandReply> OwnerCommands::Set(Executor& executor, std::vector<std::string> args,
                                        cache::Recalls* recalls) {
  auto options = ParseSetOptions(std::span(args).subspan(3));
  if (!options) return Refusal(std::move(options.error()));
  const cache::SetRequest request{.key = std::move(args[1]),
                                  .value = cache::MakeBlob(std::move(args[2])),
                                  .ttl = options->ttl,
                                  .condition = options->condition};
  const Result<bool> stored = cache_.SetHere(executor, request, recalls);
  if (!stored) return tl::unexpected(stored.error());
  if (*stored) return CommandReply{CommandReply::Status{"OK"}};
  return CommandReply{CommandReply::Null{}};
}

Result<CommandReply> OwnerCommands::Ttl(const std::vector<std::string>& args,
                                        int64_t unit_ms) const {
  if (cache_.GroupOf(args[1]) == nullptr) {
    return tl::unexpected(cache::errors::NoGroup(args[1]));
  }
  if (!cache_.picker().Owner(args[1]).is_self) {
    return tl::unexpected(cache::errors::NotOwner(cache_.picker().SelfName()));
  }
  const auto left = cache_.TtlHere(cache::Key::Of(args[1]));
  if (!left) return CommandReply{kTtlOfAbsentKey};
  return CommandReply{*left == cache::Duration(0) ? kTtlOfEndlessKey : Shown(*left, unit_ms)};
}

}  // namespace cistern::server
