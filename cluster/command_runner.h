// CommandRunner: how a client's command that another node received is run here, at the key's owner.
// server/ implements it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "cache/blob.h"
#include "cache/completion.h"
#include "cache/error.h"

namespace cistern::cluster {

struct CommandReply {
  struct Null {
    bool operator==(const Null&) const = default;
  };
  struct Status {
    std::string text;  // "OK"
    bool operator==(const Status&) const = default;
  };
  struct Error {
    std::string text;  // begins with its prefix: "WRONGTYPE Operation against ..."
    bool operator==(const Error&) const = default;
  };
  // A bulk string is never null: that is Null.
  std::variant<Null, Status, Error, int64_t, cache::BlobPtr> value;
};

// Like PeerService: on the executor's thread, completed later.
class CommandRunner {
 public:
  virtual ~CommandRunner() = default;

  // `args`: the command's name and its arguments. An error means that it was not run.
  virtual void Run(cache::Executor& executor, std::vector<std::string> args,
                   cache::CompletionPtr<cache::Result<CommandReply>> done) = 0;
};

}  // namespace cistern::cluster
