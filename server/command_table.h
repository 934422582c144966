// The command table: one row a command, with everything that any module asks about it. The rows
// stand with their handlers, one file a family; this joins them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "server/command.h"

namespace cistern::server {

// The families. A row named "client|id" is a subcommand of the row "client"; its arity counts
// both names. Sorted by nothing.
std::span<const Command> BitCommands();
std::span<const Command> ClientCommands();
std::span<const Command> ConnectionCommands();
std::span<const Command> ExpiryCommands();
std::span<const Command> KeyspaceCommands();
std::span<const Command> NumberCommands();
std::span<const Command> PurgeCommands();
std::span<const Command> ServerCommands();
std::span<const Command> StringCommands();
std::span<const Command> StringWriteCommands();
std::span<const Command> SubstringCommands();

// Immutable; the one instance lives as long as the process.
class AllCommands final : public CommandTable {
 public:
  static const AllCommands& Get();

  // Subcommands are not found by their row's name: "CLIENT|ID" is no command.
  const Command* FindCommand(std::string_view name) const override;
  // In any case of letters; null if there is none.
  const Command* FindSubcommand(const Command& command, std::string_view name) const;
  // Of one command: empty where it has none.
  std::vector<const Command*> Subcommands(const Command& command) const;

  // Without subcommands, sorted by name.
  std::span<const Command* const> commands() const { return commands_; }
  // Every row, subcommands behind their command.
  std::span<const Command* const> rows() const { return rows_; }

 private:
  static constexpr size_t kBuckets = 512;  // far more than commands: most stand alone in theirs

  AllCommands();
  static size_t BucketOf(std::string_view name);

  std::vector<const Command*> rows_;
  std::vector<const Command*> commands_;
  const Command* buckets_[kBuckets] = {};  // open addressing; null ends a search
};

// Runs the subcommand that the second argument names; its row says the arity.
void RunSubcommand(Call& call);

}  // namespace cistern::server
