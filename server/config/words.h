// The words of the configuration's enumerations, in the order of their values.
#pragma once

#include <array>
#include <string_view>

#include "server/config/config.h"

namespace cistern::server {

// `kNow` are understood; `kLater` are known, but refused as not available yet.
template <class Enum>
struct Words;

template <>
struct Words<Policy> {
  // Names that cache's MakePolicy() knows.
  static constexpr std::array<std::string_view, 6> kNow{"adaptive", "s3fifo", "lru",
                                                        "lfu",      "fifo",   "arc"};
  static constexpr std::array<std::string_view, 0> kLater{};
};
template <>
struct Words<LogLevel> {
  static constexpr std::array<std::string_view, 4> kNow{"debug", "info", "warn", "error"};
  static constexpr std::array<std::string_view, 0> kLater{};
};
template <>
struct Words<LogFormat> {
  static constexpr std::array<std::string_view, 2> kNow{"text", "json"};
  static constexpr std::array<std::string_view, 0> kLater{};
};
template <>
struct Words<WriteMode> {
  static constexpr std::array<std::string_view, 2> kNow{"reject", "cache"};
  static constexpr std::array<std::string_view, 1> kLater{"through"};
};
template <>
struct Words<BackendType> {
  static constexpr std::array<std::string_view, 3> kNow{"none", "sqlite", "redis"};
  static constexpr std::array<std::string_view, 3> kLater{"http", "postgres", "mysql"};
};

template <>
struct Words<net::ClientAuth> {
  static constexpr std::array<std::string_view, 3> kNow{"no", "optional", "yes"};
  static constexpr std::array<std::string_view, 0> kLater{};
};

template <class Enum>
constexpr std::string_view Word(Enum value) {
  return Words<Enum>::kNow[static_cast<size_t>(value)];
}

}  // namespace cistern::server
