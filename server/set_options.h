// The arguments of SET behind its key and value.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "cache/write_path.h"

namespace cistern::server {

struct SetOptions {
  std::optional<cache::Duration> ttl;
  cache::SetCondition condition = cache::SetCondition::kAlways;
};

// EX seconds or PX milliseconds; NX or XX; in any order and letter case. The error is a whole
// reply in Redis's words. A life above 200 years is one of 200 years. (thread-safe)
tl::expected<SetOptions, std::string> ParseSetOptions(std::span<const std::string> args);

}  // namespace cistern::server
