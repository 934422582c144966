// Numbers with a fraction, as Redis reads and shows them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cistern::server {

// The whole text is a number, "inf" included: nothing around it, no NaN, nothing that a long double
// cannot hold.
std::optional<long double> ParseFloat(std::string_view text);
// Up to 17 digits behind the point and no exponent; no zeros at the end. REQUIRES: it is finite.
std::string ShowFloat(long double value);

}  // namespace cistern::server
