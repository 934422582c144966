#include "cluster/claim.h"

#include <xxhash.h>

#include <array>
#include <bit>

namespace cistern::cluster {
namespace {

constexpr int kFractionBits = 32;
// Room for the quotient's digits: 38 bits of logarithm and these stay within 64.
constexpr int kDivisionBits = 24;

__extension__ using Wide = unsigned __int128;

}  // namespace

uint64_t NegativeLog2(uint64_t u) {
  u = u == 0 ? 1 : u;
  const int zeros = std::countl_zero(u);
  uint64_t mantissa = u << zeros;  // of [1, 2), with 63 bits of fraction
  uint64_t fraction = 0;
  for (int i = 0; i < kFractionBits; ++i) {
    const Wide square = (Wide{mantissa} * mantissa) >> 63;
    const auto digit = static_cast<uint64_t>(square >> 64);
    mantissa = static_cast<uint64_t>(square >> digit);
    fraction = fraction << 1 | digit;
  }
  return (static_cast<uint64_t>(zeros + 1) << kFractionBits) - fraction;
}

uint64_t ClaimDistance(uint64_t name_hash, uint32_t weight, uint16_t slot) {
  std::array<unsigned char, 16> input{};
  for (size_t byte = 0; byte < 8; ++byte)
    input[byte] = static_cast<unsigned char>(name_hash >> (8 * byte));
  input[8] = static_cast<unsigned char>(slot);
  input[9] = static_cast<unsigned char>(slot >> 8);
  const uint64_t u = XXH3_64bits(input.data(), input.size());
  return (NegativeLog2(u) << kDivisionBits) / weight;
}

}  // namespace cistern::cluster
