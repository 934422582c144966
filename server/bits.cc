#include "server/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace cistern::server {
namespace {

constexpr int64_t kByte = 8;
constexpr int64_t kWord = 64;

uint8_t ByteAt(std::string_view bytes, int64_t i) {
  return static_cast<uint8_t>(bytes[static_cast<size_t>(i)]);
}

uint64_t WordAt(std::string_view bytes, int64_t i) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data() + i, sizeof word);
  return word;
}

}  // namespace

Range RangeWithin(int64_t first, int64_t last, int64_t size) {
  if (first < 0) first = std::max<int64_t>(first + size, 0);
  if (last < 0) last = std::max<int64_t>(last + size, 0);
  return {first, std::min(last, size - 1)};
}

Range OrderedRangeWithin(int64_t first, int64_t last, int64_t size) {
  if (first < 0 && last < 0 && first > last) return {};
  return RangeWithin(first, last, size);
}

bool BitAt(std::string_view bytes, uint64_t bit) {
  const uint64_t byte = bit / kByte;
  if (byte >= bytes.size()) return false;
  return (static_cast<uint8_t>(bytes[byte]) >> (kByte - 1 - bit % kByte) & 1) != 0;
}

int64_t CountBits(std::string_view bytes, Range bits) {
  int64_t count = 0;
  int64_t at = bits.first;
  for (; at <= bits.last && at % kByte != 0; ++at)
    count += BitAt(bytes, static_cast<uint64_t>(at)) ? 1 : 0;
  for (; at + kWord - 1 <= bits.last; at += kWord)
    count += std::popcount(WordAt(bytes, at / kByte));
  for (; at + kByte - 1 <= bits.last; at += kByte)
    count += std::popcount(ByteAt(bytes, at / kByte));
  for (; at <= bits.last; ++at)
    count += BitAt(bytes, static_cast<uint64_t>(at)) ? 1 : 0;
  return count;
}

int64_t FindBit(std::string_view bytes, Range bits, bool value) {
  const uint64_t none = value ? 0 : ~uint64_t{0};  // a word without such a bit
  int64_t at = bits.first;
  while (at <= bits.last) {
    if (at % kByte == 0 && at + kWord - 1 <= bits.last && WordAt(bytes, at / kByte) == none) {
      at += kWord;
    } else if (BitAt(bytes, static_cast<uint64_t>(at)) == value) {
      return at;
    } else {
      ++at;
    }
  }
  return -1;
}

}  // namespace cistern::server
