#include "resp/inline_command.h"

namespace cistern::resp {
namespace {

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Redis ends a bare word at these only: \v and \f separate words, but do not end one.
bool EndsWord(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Whether a quoted part that was closed before `at` is well ended.
bool AtWordEnd(std::string_view line, size_t at) {
  return at == line.size() || IsSpace(line[at]);
}

// Both begin behind the opening quote at `at`, append what is quoted to `out`, leave `at` behind
// the closing quote, and return false when there is none or more of the word follows it.
bool ReadDoubleQuoted(std::string_view line, size_t& at, std::string& out) {
  while (at < line.size()) {
    const char c = line[at];
    if (c == '"') return AtWordEnd(line, ++at);
    const size_t left = line.size() - at;
    if (c != '\\' || left < 2) {
      out += c;
      ++at;
    } else if (left >= 4 && line[at + 1] == 'x' && HexDigit(line[at + 2]) >= 0 &&
               HexDigit(line[at + 3]) >= 0) {
      out += static_cast<char>(HexDigit(line[at + 2]) * 16 + HexDigit(line[at + 3]));
      at += 4;
    } else {
      out += Unescape(line[at + 1]);
      at += 2;
    }
  }
  return false;
}

bool ReadSingleQuoted(std::string_view line, size_t& at, std::string& out) {
  while (at < line.size()) {
    const char c = line[at];
    if (c == '\'') return AtWordEnd(line, ++at);
    const bool is_escaped_quote = c == '\\' && at + 1 < line.size() && line[at + 1] == '\'';
    out += is_escaped_quote ? '\'' : c;
    at += is_escaped_quote ? 2 : 1;
  }
  return false;
}

// Reads the word that begins at `at`, with quotes or without. `unquoted` has room for the whole
// line, so that views into it stay good while it grows.
bool ReadWord(std::string_view line, size_t& at, std::string& unquoted, std::string_view& word) {
  const size_t begin = at;
  while (at < line.size() && !EndsWord(line[at]) && line[at] != '"' && line[at] != '\'')
    ++at;
  word = line.substr(begin, at - begin);
  if (at == line.size() || EndsWord(line[at])) return true;

  // As in Redis a quote may open in the middle of a word, and its closing ends the word.
  if (unquoted.capacity() < line.size()) unquoted.reserve(line.size());
  const size_t own_begin = unquoted.size();
  unquoted += word;
  const bool is_double = line[at++] == '"';
  const bool closed =
      is_double ? ReadDoubleQuoted(line, at, unquoted) : ReadSingleQuoted(line, at, unquoted);
  word = std::string_view(unquoted).substr(own_begin);
  return closed;
}

}  // namespace

int SplitInline(std::string_view line, std::vector<std::string_view>& args, std::string& unquoted) {
  unquoted.clear();
  size_t count = 0;
  size_t at = 0;
  while (true) {
    while (at < line.size() && IsSpace(line[at]))
      ++at;
    if (at == line.size()) return static_cast<int>(count);
    if (count == args.size()) args.emplace_back();
    if (!ReadWord(line, at, unquoted, args[count])) return -1;
    ++count;
  }
}

}  // namespace cistern::resp
