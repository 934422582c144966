#include "server/set_options.h"

#include <algorithm>
#include <limits>

#include "server/arguments.h"
#include "server/error_texts.h"

namespace cistern::server {
namespace {

using cache::SetCondition;

// Adding it to any reading of a clock must not overflow.
constexpr int64_t kLongestLifeMs = int64_t{200} * 365 * 24 * 3600 * 1000;

tl::expected<cache::Duration, std::string> Life(std::string_view count, int64_t unit_ms) {
  const auto value = ParseInteger(count);
  if (!value) return tl::unexpected(std::string(error_texts::kNotAnInteger));
  if (*value <= 0 || *value > std::numeric_limits<int64_t>::max() / unit_ms) {
    return tl::unexpected(error_texts::InvalidExpire("set"));
  }
  return std::chrono::milliseconds(std::min(*value * unit_ms, kLongestLifeMs));
}

// 0: neither EX nor PX.
int64_t UnitMs(std::string_view option) {
  if (EqualsIgnoringCase(option, "ex")) return 1000;
  return EqualsIgnoringCase(option, "px") ? 1 : 0;
}

// NX and XX exclude each other; each may be said twice, as in Redis.
bool Restrict(SetOptions& options, SetCondition condition) {
  if (options.condition != SetCondition::kAlways && options.condition != condition) return false;
  options.condition = condition;
  return true;
}

}  // namespace

tl::expected<SetOptions, std::string> ParseSetOptions(std::span<const std::string> args) {
  SetOptions options;
  int64_t unit_ms = 0;  // of the life, once EX or PX was read
  std::string_view life;
  for (size_t i = 0; i < args.size(); ++i) {
    bool good = false;
    if (EqualsIgnoringCase(args[i], "nx")) {
      good = Restrict(options, SetCondition::kIfAbsent);
    } else if (EqualsIgnoringCase(args[i], "xx")) {
      good = Restrict(options, SetCondition::kIfPresent);
    } else if (const int64_t unit = UnitMs(args[i]); unit != 0 && i + 1 < args.size()) {
      good = unit_ms == 0 || unit_ms == unit;
      unit_ms = unit;
      life = args[++i];
    }
    if (!good) return tl::unexpected(std::string(error_texts::kSyntax));
  }
  if (unit_ms == 0) return options;
  const auto ttl = Life(life, unit_ms);
  if (!ttl) return tl::unexpected(ttl.error());
  options.ttl = *ttl;
  return options;
}

}  // namespace cistern::server
