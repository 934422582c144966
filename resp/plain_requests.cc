#include "resp/plain_requests.h"

#include <algorithm>
#include <cstring>

namespace cistern::resp {
namespace {

constexpr size_t kMostDigits = 6;
constexpr size_t kBeforeName = 8;       // "*2\r\n$3\r\n"
constexpr ptrdiff_t kShortestBulk = 6;  // "$0\r\n\r\n"

unsigned Digit(char c) {
  return static_cast<unsigned char>(c) - unsigned{'0'};
}

bool IsLineEnd(const char* at) {
  return std::memcmp(at, "\r\n", 2) == 0;
}

}  // namespace

void RequestHead::Note(const char* at, const char* end, size_t args) {
  size_ = end - at <= kMostBytes ? static_cast<uint32_t>(end - at) : 0;
  if (size_ == 0) return;
  first_ = Load(at);
  last_ = Load(end - sizeof last_);
  args_ = static_cast<uint32_t>(args);
}

size_t PlainRequests::Next(std::string_view* args) {
  const char* at = at_;
  size_t count = 0;
  repeats_ = head_.Begins(at, end_) && head_.args() <= most_args_;
  if (repeats_) {
    args[0] = {at + kBeforeName, head_.size() - kBeforeName - 2};
    count = head_.args();
    at += head_.size();
  } else {
    at = TakeCount(at, count);
    if (at != nullptr) at = TakeBulk(at, args[0]);
    if (at == nullptr) return 0;
  }
  const char* const head_end = at;
  for (size_t i = 1; i < count; ++i) {
    at = TakeBulk(at, args[i]);
    if (at == nullptr) return 0;
  }
  if (!repeats_) head_.Note(at_, head_end, count);  // what is not taken leaves no trace
  at_ = at;
  return count;
}

// "*<count>\r\n" with one digit; returns what is behind it, or nullptr.
const char* PlainRequests::TakeCount(const char* at, size_t& count) const {
  if (end_ - at < 4 || at[0] != '*' || !IsLineEnd(at + 2)) return nullptr;
  count = Digit(at[1]);
  return count - 1 < most_args_ ? at + 4 : nullptr;
}

// "$<length>\r\n<bytes>\r\n".
const char* PlainRequests::TakeBulk(const char* at, std::string_view& bulk) const {
  if (end_ - at < kShortestBulk || at[0] != '$') return nullptr;
  size_t size = 0;
  at = TakeLength(at + 1, size);
  if (at == nullptr || end_ - at < static_cast<ptrdiff_t>(size) + 2 || size > most_bytes_ ||
      !IsLineEnd(at + size)) {
    return nullptr;
  }
  bulk = std::string_view(at, size);
  return at + size + 2;
}

// "<length>\r\n", of at most kMostDigits and without leading zeros, as in Redis. REQUIRES: five
// bytes are there. Most have one digit or two.
const char* PlainRequests::TakeLength(const char* at, size_t& size) const {
  const unsigned first = Digit(at[0]);
  if (first > 9) return nullptr;
  size = first;
  if (IsLineEnd(at + 1)) return at + 3;
  const unsigned second = Digit(at[1]);
  if (first == 0 || second > 9) return nullptr;
  size = 10 * first + second;
  if (IsLineEnd(at + 2)) return at + 4;
  const char* digit = at + 2;
  const char* const limit = at + std::min<ptrdiff_t>(kMostDigits, end_ - at - 2);
  for (; digit < limit && Digit(*digit) <= 9; ++digit)
    size = size * 10 + Digit(*digit);
  return end_ - digit >= 2 && IsLineEnd(digit) ? digit + 2 : nullptr;
}

}  // namespace cistern::resp
