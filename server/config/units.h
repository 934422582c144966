// Durations and sizes as users write them: digits and one unit, "250ms", "64MiB".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/clock.h"

namespace cistern::server {

// Units: us ms s m h d. Nothing for any other text, for a number without a unit (also 0), for
// fractions, and for what does not fit.
std::optional<cache::Duration> ParseDuration(std::string_view text);

// Units: B KiB MiB GiB TiB, powers of 1024. Nothing for any other text, as above.
std::optional<uint64_t> ParseSize(std::string_view text);

// In the largest unit that leaves no rest: 90 s is "90s", 120 s is "2m", nothing is "0s" and "0B".
// A duration is rounded down to whole microseconds.
std::string FormatDuration(cache::Duration duration);
std::string FormatSize(uint64_t bytes);

}  // namespace cistern::server
