// The options of SET and GETEX, which Redis reads in the same way.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "server/life.h"

namespace cistern::server {

enum class SetCondition : uint8_t { kAlways, kIfAbsent, kIfPresent };

struct SetOptions {
  SetCondition condition = SetCondition::kAlways;  // NX, XX
  bool get = false;                                // GET
  bool keep_life = false;                          // KEEPTTL
  std::optional<LifeWords> life;                   // EX PX EXAT PXAT
};

struct GetExOptions {
  bool persist = false;           // PERSIST
  std::optional<LifeWords> life;  // EX PX EXAT PXAT
};

// What stands behind the key and value, or behind the key; in any order and letter case. The error
// is a whole reply in Redis's words. Counts are not looked at: see TimeReading. They are views into
// `args`. (thread-safe)
tl::expected<SetOptions, std::string> ParseSetOptions(std::span<const std::string_view> args);
tl::expected<GetExOptions, std::string> ParseGetExOptions(std::span<const std::string_view> args);

}  // namespace cistern::server
