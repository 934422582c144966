#include "server/owner_commands.h"

#include "server/arguments.h"
#include "server/error_texts.h"
#include "server/set_options.h"

namespace cistern::server {
namespace {

using cache::Completion;
using cache::Executor;
using cache::Result;
using cluster::CommandReply;
using Done = OwnerCommands::Done;

void AnswerError(const Done& done, std::string text) {
  done->Done(CommandReply{CommandReply::Error{std::move(text)}});
}

// A life that has not ended is never 0; seconds are rounded to the nearest.
int64_t Shown(cache::Duration left, int64_t unit_ms) {
  const int64_t ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return (ms + unit_ms / 2) / unit_ms;
}

}  // namespace

void OwnerCommands::Run(Executor& executor, std::vector<std::string> args, Done done) {
  const std::string name = args.empty() ? std::string() : LowerCase(args[0]);
  const bool ttl = name == "ttl" || name == "pttl";
  if (!ttl && name != "set") {
    return AnswerError(done, "ERR command '" + name + "' does not run at a key's owner");
  }
  if (ttl ? args.size() != 2 : args.size() < 3)
    return AnswerError(done, error_texts::WrongArity(name));
  if (ttl) return Ttl(args, name == "ttl" ? 1000 : 1, done);
  Set(executor, std::move(args), std::move(done));
}

void OwnerCommands::Set(Executor& executor, std::vector<std::string> args, Done done) {
  auto options = ParseSetOptions(std::span(args).subspan(3));
  if (!options) return AnswerError(done, std::move(options.error()));
  cache::SetRequest request{.key = std::move(args[1]),
                            .value = cache::MakeBlob(std::move(args[2])),
                            .ttl = options->ttl,
                            .condition = options->condition};
  auto stored = Completion<Result<bool>>::Make(
      executor, [done = std::move(done)](const Result<bool>& result) {
        if (!result) return done->Done(tl::unexpected(result.error()));
        if (*result) return done->Done(CommandReply{CommandReply::Status{"OK"}});
        done->Done(CommandReply{CommandReply::Null{}});
      });
  cache_.SetHere(executor, std::move(request), std::move(stored));
}

void OwnerCommands::Ttl(const std::vector<std::string>& args, int64_t unit_ms, const Done& done) {
  if (!cache_.picker().Owner(args[1]).is_self) {
    return done->Done(tl::unexpected(cache::errors::NotOwner(cache_.picker().SelfName())));
  }
  const auto left = cache_.TtlHere(cache::Key::Of(args[1]));
  if (!left) return done->Done(CommandReply{kTtlOfAbsentKey});
  done->Done(CommandReply{*left == cache::Duration(0) ? kTtlOfEndlessKey : Shown(*left, unit_ms)});
}

}  // namespace cistern::server
