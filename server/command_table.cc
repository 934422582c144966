#include "server/command_table.h"

#include <algorithm>

#include "server/arguments.h"
#include "server/call.h"
#include "server/error_texts.h"

namespace cistern::server {
namespace {

bool IsSubcommand(const Command& row) {
  return row.name.find('|') != std::string_view::npos;
}

// "client|id" of "client": "id"; else nothing.
std::string_view SubcommandName(const Command& row, const Command& of) {
  if (row.name.size() <= of.name.size() || !row.name.starts_with(of.name)) return {};
  return row.name[of.name.size()] == '|' ? row.name.substr(of.name.size() + 1) : std::string_view();
}

// CLIENT HELP and its like, as Redis writes it: a line of form and lines of meaning.
void Help(Call& call) {
  const auto subcommands = AllCommands::Get().Subcommands(call.command());
  std::string upper(call.command().name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  call.reply().Array(2 * subcommands.size() + 1);
  call.reply().SimpleString(upper + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const Command* row : subcommands) {
    std::string form(SubcommandName(*row, call.command()));
    std::transform(form.begin(), form.end(), form.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (!row->arguments.empty()) form += " " + std::string(row->arguments);
    call.reply().SimpleString(form);
    call.reply().SimpleString("    " + std::string(row->summary));
  }
}

}  // namespace

const AllCommands& AllCommands::Get() {
  static const AllCommands table;
  return table;
}

AllCommands::AllCommands() {
  for (const auto family : {BitCommands(), ClientCommands(), ConnectionCommands(), ExpiryCommands(),
                            KeyspaceCommands(), NumberCommands(), PurgeCommands(), ServerCommands(),
                            StringCommands(), StringWriteCommands(), SubstringCommands()}) {
    for (const Command& row : family)
      rows_.push_back(&row);
  }
  std::sort(rows_.begin(), rows_.end(),
            [](const Command* a, const Command* b) { return a->name < b->name; });
  for (const Command* row : rows_) {
    if (IsSubcommand(*row)) continue;
    commands_.push_back(row);
    size_t bucket = BucketOf(row->name);
    while (buckets_[bucket] != nullptr)
      bucket = (bucket + 1) % kBuckets;
    buckets_[bucket] = row;
  }
}

size_t AllCommands::BucketOf(std::string_view name) {
  size_t hash = name.size();
  for (char c : name)
    hash = hash * 31 + static_cast<unsigned char>(c | 0x20);
  return hash % kBuckets;
}

const Command* AllCommands::FindCommand(std::string_view name) const {
  for (size_t bucket = BucketOf(name); buckets_[bucket] != nullptr;
       bucket = (bucket + 1) % kBuckets) {
    if (EqualsIgnoringCase(name, buckets_[bucket]->name)) return buckets_[bucket];
  }
  return nullptr;
}

const Command* AllCommands::FindSubcommand(const Command& command, std::string_view name) const {
  for (const Command* row : Subcommands(command)) {
    if (EqualsIgnoringCase(name, SubcommandName(*row, command))) return row;
  }
  return nullptr;
}

std::vector<const Command*> AllCommands::Subcommands(const Command& command) const {
  std::vector<const Command*> found;
  std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(found),
               [&command](const Command* row) { return !SubcommandName(*row, command).empty(); });
  return found;
}

void RunSubcommand(Call& call) {
  const Command* row = AllCommands::Get().FindSubcommand(call.command(), call.arg(1));
  if (row == nullptr && call.args().size() == 2 && EqualsIgnoringCase(call.arg(1), "help")) {
    return Help(call);
  }
  if (row == nullptr) {
    return call.reply().Error(error_texts::UnknownSubcommand(call.command().name, call.arg(1)));
  }
  if (!FitsArity(*row, call.args().size())) {
    return call.reply().Error(error_texts::WrongArity(row->name));
  }
  call.client().last_command = row;
  row->handler(call);
}

}  // namespace cistern::server
