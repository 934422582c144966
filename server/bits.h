// Bits of a value, numbered from the highest one of its first byte.
#pragma once

#include <cstdint>
#include <string_view>

namespace cistern::server {

// First and last, both counted in: bytes or bits.
struct Range {
  int64_t first = 0;
  int64_t last = -1;

  bool empty() const { return first > last; }
};

// As clients write it, for something of `size`: negative numbers count from the end, what lies
// outside is cut off.
Range RangeWithin(int64_t first, int64_t last, int64_t size);
// The same, but empty where both are counted from the end and the last is before the first, even if
// both lie outside. (BITPOS is the one command of Redis that does not say so.)
Range OrderedRangeWithin(int64_t first, int64_t last, int64_t size);

// False beyond the end.
bool BitAt(std::string_view bytes, uint64_t bit);
// REQUIRES: the range lies within the bytes.
int64_t CountBits(std::string_view bytes, Range bits);
// The first bit of that value; -1 if there is none. REQUIRES: likewise.
int64_t FindBit(std::string_view bytes, Range bits, bool value);

}  // namespace cistern::server
