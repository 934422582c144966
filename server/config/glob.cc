#include "server/config/glob.h"

#include <utility>

namespace cistern::server {
namespace {

// Reads one element of a class, "a", "\a" or "a-z", at `at`; true when `c` is in it.
bool MatchElement(std::string_view pattern, size_t& at, unsigned char c) {
  if (pattern[at] == '\\' && at + 1 < pattern.size()) {
    return static_cast<unsigned char>(pattern[++at]) == c;
  }
  auto low = static_cast<unsigned char>(pattern[at]);
  if (at + 2 >= pattern.size() || pattern[at + 1] != '-') return low == c;
  auto high = static_cast<unsigned char>(pattern[at + 2]);
  at += 2;
  if (low > high) std::swap(low, high);
  return low <= c && c <= high;
}

// `at` stands on '['; afterwards on ']' or, where that is missing, on the last byte.
bool MatchClass(std::string_view pattern, size_t& at, unsigned char c) {
  ++at;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool matched = false;
  for (; at < pattern.size() && pattern[at] != ']'; ++at) {
    if (MatchElement(pattern, at, c)) matched = true;
  }
  if (at >= pattern.size()) at = pattern.size() - 1;
  return matched != negated;
}

// Matches one byte against one element of the pattern (not a star); `at` moves behind the element.
bool MatchOne(std::string_view pattern, size_t& at, char c) {
  bool matched = false;
  if (pattern[at] == '?') {
    matched = true;
  } else if (pattern[at] == '[') {
    matched = MatchClass(pattern, at, static_cast<unsigned char>(c));
  } else {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    matched = pattern[at] == c;
  }
  ++at;
  return matched;
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  // The last star seen, and the first byte of the text that it does not stand for yet. An earlier
  // star never needs another try: the last one can stand for whatever the earlier one would give.
  size_t star = std::string_view::npos;
  size_t star_end = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = t;
      continue;
    }
    if (p < pattern.size() && MatchOne(pattern, p, text[t])) {
      ++t;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    t = ++star_end;
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

}  // namespace cistern::server
