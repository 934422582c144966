#include "server/error_texts.h"

#include <algorithm>
#include <cctype>

namespace cistern::server::error_texts {
namespace {

// Redis shows so much of the command's name, and of all its arguments together.
constexpr size_t kShownBytes = 128;

// Redis formats with %s: what follows a NUL is not shown.
std::string_view Shown(std::string_view text, size_t room) {
  text = text.substr(0, room);
  return text.substr(0, text.find('\0'));
}

std::string Quoted(std::string_view text) {
  return "'" + std::string(Shown(text, kShownBytes)) + "'";
}

}  // namespace

std::string UnknownCommand(std::span<const std::string_view> args) {
  std::string shown;
  for (size_t i = 1; i < args.size() && shown.size() < kShownBytes; ++i) {
    const std::string_view arg = Shown(args[i], kShownBytes - shown.size());
    shown.append("'").append(arg).append("' ");
  }
  std::string text = "ERR unknown command '";
  text.append(Shown(args[0], kShownBytes)).append("', with args beginning with: ");
  return text + shown;
}

std::string KeyTooLong(size_t limit) {
  return "ERR key is longer than " + std::to_string(limit) + " bytes";
}

std::string WrongArity(std::string_view name) {
  return std::string("ERR wrong number of arguments for '").append(name).append("' command");
}

std::string UnknownSubcommand(std::string_view command, std::string_view subcommand) {
  std::string upper(command);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return "ERR unknown subcommand " + Quoted(subcommand) + ". Try " + upper + " HELP.";
}

std::string InvalidExpire(std::string_view command) {
  return "ERR invalid expire time in '" + std::string(command) + "' command";
}

std::string UnsupportedOption(std::string_view option) {
  return "ERR Unsupported option " + std::string(Shown(option, kShownBytes));
}

std::string BadHelloOption(std::string_view option) {
  return "ERR Syntax error in HELLO option " + Quoted(option);
}

std::string BadClientInfo(std::string_view field) {
  return "ERR " + std::string(field) + " cannot contain spaces, newlines or special characters.";
}

std::string UnrecognizedOption(std::string_view option) {
  return "ERR Unrecognized option " + Quoted(option);
}

std::string UnknownClientType(std::string_view type) {
  return "ERR Unknown client type " + Quoted(type);
}

std::string NoSuchUser(std::string_view user) {
  return "ERR No such user " + Quoted(user);
}

}  // namespace cistern::server::error_texts
