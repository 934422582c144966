// Whatever the bytes: fed whole, byte by byte and in pieces, the same requests come out, the same
// error, and the same rest. The first three input bytes choose the limits and the pieces.
//
// scripts/fuzz 1m resp
#include <cstdint>
#include <cstdlib>

#include "tests/resp/feed.h"

namespace cistern::resp {
namespace {

Limits ChooseLimits(uint8_t choice) {
  Limits limits;
  limits.authenticated = (choice & 1) != 0;
  if ((choice & 2) != 0) limits = {3, 8, 12, limits.authenticated, 2, 5};
  if ((choice & 4) != 0) limits.max_line_bytes = 40;
  return limits;
}

void Check(const Outcome& whole, const Outcome& split) {
  if (!(whole == split)) std::abort();
}

void Run(const uint8_t* data, size_t size) {
  if (size < 3) return;
  const Limits limits = ChooseLimits(data[0]);
  const size_t piece = data[1] + size_t{1};
  const size_t split_choice = data[2];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);

  const Outcome whole = FeedWhole(bytes, limits);
  Check(whole, Feed(bytes, limits, [&](size_t left) { return left < piece ? left : piece; }));
  if (bytes.size() > 1) Check(whole, FeedSplitAt(bytes, 1 + split_choice % bytes.size(), limits));
  if (bytes.size() < 1024) Check(whole, FeedByteByByte(bytes, limits));
}

}  // namespace
}  // namespace cistern::resp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cistern::resp::Run(data, size);
  return 0;
}
