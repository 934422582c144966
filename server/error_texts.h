// Every error text of Redis that clients read: in its words, for clients compare them; and a few of
// our own on requests. (Those on keys and groups stand in cache/error.h.)
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cistern::server::error_texts {

inline constexpr std::string_view kNoAuth = "NOAUTH Authentication required.";
inline constexpr std::string_view kNoAuthHello =
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
    "<proto> "
    "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time";
inline constexpr std::string_view kWrongPass =
    "WRONGPASS invalid username-password pair or user is disabled.";
inline constexpr std::string_view kNoPasswordSet =
    "ERR AUTH <password> called without any password configured for the default user. Are you sure "
    "your configuration is correct?";
inline constexpr std::string_view kNoProto = "NOPROTO unsupported protocol version";
inline constexpr std::string_view kBadProto =
    "ERR Protocol version is not an integer or out of range";
inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";
inline constexpr std::string_view kDbOutOfRange = "ERR DB index is out of range";
inline constexpr std::string_view kMaxClients = "ERR max number of clients reached";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
// Of numbers, ranges and bits.
inline constexpr std::string_view kWouldOverflow = "ERR increment or decrement would overflow";
inline constexpr std::string_view kDecrementWouldOverflow = "ERR decrement would overflow";
inline constexpr std::string_view kNotAFloat = "ERR value is not a valid float";
inline constexpr std::string_view kWouldBeNanOrInfinity =
    "ERR increment would produce NaN or Infinity";
inline constexpr std::string_view kStringTooLong =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr std::string_view kOffsetOutOfRange = "ERR offset is out of range";
inline constexpr std::string_view kBadBitOffset =
    "ERR bit offset is not an integer or out of range";
inline constexpr std::string_view kBadBit = "ERR bit is not an integer or out of range";
inline constexpr std::string_view kBadBitArgument = "ERR The bit argument must be 1 or 0.";
// Of CLIENT.
inline constexpr std::string_view kBadClientId = "ERR Invalid client ID";
inline constexpr std::string_view kBadKillId = "ERR client-id should be greater than 0";
inline constexpr std::string_view kMaxAgeNotAnInteger =
    "ERR maxage is not an integer or out of range";
inline constexpr std::string_view kMaxAgeNotPositive = "ERR maxage should be greater than 0";
inline constexpr std::string_view kNoSuchClient = "ERR No such client";
inline constexpr std::string_view kBadPauseMode = "ERR CLIENT PAUSE mode must be WRITE or ALL";
inline constexpr std::string_view kTimeoutNotAnInteger =
    "ERR timeout is not an integer or out of range";
inline constexpr std::string_view kTimeoutNegative = "ERR timeout is negative";
inline constexpr std::string_view kSyntax = "ERR syntax error";
inline constexpr std::string_view kExpireNxWithOthers =
    "ERR NX and XX, GT or LT options at the same time are not compatible";
inline constexpr std::string_view kExpireGtWithLt =
    "ERR GT and LT options at the same time are not compatible";

// Of what memory has no room for.
inline constexpr std::string_view kOutOfMemory =
    "OOM command not allowed when used memory > 'maxmemory'.";
inline constexpr std::string_view kNoRoomForClient =
    "OVERLOAD server.memory is full of what clients hold";
inline constexpr std::string_view kNoRoomToLoad =
    "OVERLOAD server.memory is full of what is under way";

// Ours: of server.local_only_prefixes, and of keys.
inline constexpr std::string_view kLocalOnlyWrite =
    "NOWRITE keys that begin so are answered here and never stored (server.local_only_prefixes)";

// "ERR unknown command 'X', with args beginning with: 'a' 'b' ". Long ones are cut as Redis does.
std::string UnknownCommand(std::span<const std::string_view> args);
std::string KeyTooLong(size_t limit);
// `name` in lower case.
std::string WrongArity(std::string_view name);
// "ERR unknown subcommand 'x'. Try CLIENT HELP."
std::string UnknownSubcommand(std::string_view command, std::string_view subcommand);
// `command` in lower case.
std::string InvalidExpire(std::string_view command);
// Of EXPIRE and its kin.
std::string UnsupportedOption(std::string_view option);
std::string BadHelloOption(std::string_view option);
// Of CLIENT SETINFO; `field` as Redis writes it: "lib-name".
std::string BadClientInfo(std::string_view field);
std::string UnrecognizedOption(std::string_view option);
std::string UnknownClientType(std::string_view type);
std::string NoSuchUser(std::string_view user);

}  // namespace cistern::server::error_texts
