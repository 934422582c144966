#include "server/config/units.h"

#include <array>
#include <charconv>
#include <limits>

namespace cistern::server {
namespace {

struct Unit {
  std::string_view name;
  uint64_t size;
};

// Ascending. Durations are counted in nanoseconds.
constexpr std::array kDurationUnits = {
    Unit{"us", 1'000},         Unit{"ms", 1'000'000},        Unit{"s", 1'000'000'000},
    Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000}, Unit{"d", 86'400'000'000'000},
};
constexpr std::array kSizeUnits = {
    Unit{"B", 1},
    Unit{"KiB", 1ULL << 10},
    Unit{"MiB", 1ULL << 20},
    Unit{"GiB", 1ULL << 30},
    Unit{"TiB", 1ULL << 40},
};

template <size_t N>
std::optional<uint64_t> Parse(std::string_view text, const std::array<Unit, N>& units) {
  uint64_t count = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [rest, error] = std::from_chars(begin, end, count);
  if (error != std::errc()) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (count > std::numeric_limits<int64_t>::max() / unit.size) return std::nullopt;
    return count * unit.size;
  }
  return std::nullopt;
}

template <size_t N>
std::string Format(uint64_t value, const std::array<Unit, N>& units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value % unit.size == 0) best = &unit;
  }
  return std::to_string(value / best->size) + std::string(best->name);
}

}  // namespace

std::optional<cache::Duration> ParseDuration(std::string_view text) {
  const auto nanos = Parse(text, kDurationUnits);
  if (!nanos) return std::nullopt;
  return cache::Duration(static_cast<int64_t>(*nanos));
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  return Parse(text, kSizeUnits);
}

std::string FormatDuration(cache::Duration duration) {
  if (duration <= cache::Duration::zero()) return "0s";
  return Format(static_cast<uint64_t>(duration.count()), kDurationUnits);
}

std::string FormatSize(uint64_t bytes) {
  return bytes == 0 ? "0B" : Format(bytes, kSizeUnits);
}

}  // namespace cistern::server
