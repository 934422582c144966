#include "server/config/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <optional>

#include "net/address.h"
#include "server/config/units.h"

namespace cistern::server {
namespace {

tl::unexpected<std::string> Refuse(const Row& row, std::string_view why) {
  return tl::unexpected(fmt::format("{} {}", row.name, why));
}

template <class T>
T& Use(const Row& row, const Target& target) {
  return std::get<Ref<T>>(row.field.access)(target);
}

template <class T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [rest, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// A missing end of the range holds for everything. Written so that NaN is in no range.
template <class T, class Parse>
bool InRange(const Row& row, T value, Parse parse) {
  const size_t dots = row.range.find("..");
  if (dots == std::string_view::npos) return true;
  const std::optional<T> low = parse(row.range.substr(0, dots));
  const std::optional<T> high = parse(row.range.substr(dots + 2));
  return (!low || value >= *low) && (!high || value <= *high);
}

template <class T, class Parse>
Outcome SetParsed(const Row& row, const Target& target, std::string_view text, Parse parse) {
  const std::optional<T> value = parse(text);
  if (!value) return Refuse(row, fmt::format("must be {}; '{}' is not", Wanted(row), text));
  if (!InRange<T>(row, *value, parse)) {
    return Refuse(row, fmt::format("is {}; choose from {}", text, row.range));
  }
  Use<T>(row, target) = *value;
  return {};
}

// What people write who think of 1000, or of another program.
std::string_view SizeAdvice(std::string_view text) {
  const size_t unit = text.find_first_not_of("0123456789");
  if (unit == std::string_view::npos) return "; a unit is needed: B KiB MiB GiB TiB";
  return "; the units are B KiB MiB GiB TiB";
}

std::string_view DurationAdvice(std::string_view text) {
  const size_t unit = text.find_first_not_of("0123456789");
  if (unit == std::string_view::npos) return "; a unit is needed: us ms s m h d";
  return "; the units are us ms s m h d";
}

Outcome SetDuration(const Row& row, const Target& target, std::string_view text) {
  if (!ParseDuration(text)) {
    return Refuse(
        row, fmt::format("must be {}; '{}' is not{}", Wanted(row), text, DurationAdvice(text)));
  }
  return SetParsed<Duration>(row, target, text, ParseDuration);
}

Outcome SetSize(const Row& row, const Target& target, std::string_view text) {
  if (!ParseSize(text)) {
    return Refuse(row,
                  fmt::format("must be {}; '{}' is not{}", Wanted(row), text, SizeAdvice(text)));
  }
  return SetParsed<uint64_t>(row, target, text, ParseSize);
}

Outcome SetEnum(const Row& row, const Target& target, std::string_view text) {
  const auto& words = std::get<EnumRef>(row.field.access);
  const auto found = std::ranges::find(words.now, text);
  if (found != words.now.end()) {
    words.set(target, static_cast<size_t>(found - words.now.begin()));
    return {};
  }
  const bool later = std::ranges::find(words.later, text) != words.later.end();
  return Refuse(row, fmt::format("{}; choose {}",
                                 later ? fmt::format("'{}' is not available yet", text)
                                       : fmt::format("knows no '{}'", text),
                                 fmt::join(words.now, ", ")));
}

Outcome CheckLength(const Row& row, std::string_view text) {
  if (InRange<size_t>(row, text.size(), ParseNumber<size_t>)) return {};
  if (text.empty()) return Refuse(row, fmt::format("is empty; write {}", Wanted(row)));
  return Refuse(row, fmt::format("has {} bytes; choose from {}", text.size(), row.range));
}

Outcome CheckName(const Row& row, std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (std::ranges::all_of(text, fits)) return {};
  return Refuse(row, fmt::format("is '{}'; use letters, digits, - _ and . only", text));
}

bool IsHost(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == ':';
  });
}

// Clients' listeners alone may have TLS; they and backends alone may be unix sockets; a port to
// connect to is never 0.
Outcome CheckAddress(const Row& row, std::string_view text) {
  if (text.empty()) return {};
  const auto address = net::ListenAddress::Parse(text);
  if (!address) return Refuse(row, fmt::format("has the {}", address.error()));
  if (address->tls && row.field.type != RowType::kListenList) {
    return Refuse(row, "takes no \"tls:\"; write \"host:port\"");
  }
  if (address->kind == net::Address::Kind::kUnix) {
    if (row.field.type == RowType::kListenList || row.field.type == RowType::kServer) return {};
    return Refuse(row, "takes no unix socket; write \"host:port\"");
  }
  if (!IsHost(address->host)) {
    return Refuse(row, fmt::format("has the address '{}': the host is neither a name nor an IP "
                                   "address; 0.0.0.0 is every interface",
                                   text));
  }
  if (row.field.type != RowType::kListen && row.field.type != RowType::kListenList &&
      address->port == 0) {
    return Refuse(row, fmt::format("has the address '{}': nobody can connect to port 0", text));
  }
  return {};
}

Outcome CheckText(const Row& row, std::string_view text) {
  switch (row.field.type) {
    case RowType::kName:
      return CheckName(row, text);
    case RowType::kAddress:
    case RowType::kServer:
    case RowType::kListen:
    case RowType::kListenList:
      return CheckAddress(row, text);
    case RowType::kPath:
      if (text.find('\0') != std::string_view::npos) return Refuse(row, "holds a zero byte");
      return {};
    default:
      return {};
  }
}

Outcome SetString(const Row& row, const Target& target, std::string_view text) {
  auto outcome = CheckLength(row, text);
  if (outcome) outcome = CheckText(row, text);
  if (outcome) Use<std::string>(row, target) = text;
  return outcome;
}

}  // namespace

Outcome SetValue(const Row& row, const Target& target, std::string_view text) {
  switch (row.field.type) {
    case RowType::kBool:
      if (text != "true" && text != "false") return Refuse(row, "must be true or false");
      Use<bool>(row, target) = text == "true";
      return {};
    case RowType::kInteger:
      return SetParsed<int64_t>(row, target, text, ParseNumber<int64_t>);
    case RowType::kReal:
      return SetParsed<double>(row, target, text, ParseNumber<double>);
    case RowType::kDuration:
      return SetDuration(row, target, text);
    case RowType::kSize:
      return SetSize(row, target, text);
    case RowType::kEnum:
      return SetEnum(row, target, text);
    default:
      return SetString(row, target, text);
  }
}

Outcome CheckCount(const Row& row, size_t count) {
  if (InRange<size_t>(row, count, ParseNumber<size_t>)) return {};
  return Refuse(row, fmt::format("has {} elements; choose from {}", count, row.range));
}

Outcome SetList(const Row& row, const Target& target, std::vector<std::string> elements) {
  if (auto outcome = CheckCount(row, elements.size()); !outcome) return outcome;
  Use<std::vector<std::string>>(row, target) = std::move(elements);
  return {};
}

Outcome CheckElement(const Row& row, std::string_view element) {
  if (element.empty()) return Refuse(row, "holds an empty string; leave it out");
  return CheckText(row, element);
}

namespace {

void SetDefault(const Row& row, const Target& target) {
  const std::string_view text = row.literal();
  if (row.is_table() || text.empty()) return;
  if (std::holds_alternative<Ref<std::vector<std::string>>>(row.field.access)) {
    Use<std::vector<std::string>>(row, target) = {std::string(text)};
    return;
  }
  [[maybe_unused]] const Outcome outcome = SetValue(row, target, text);
  assert(outcome);
}

}  // namespace

void SetDefaults(const Row* list, const Target& target) {
  for (const Row& row : ConfigRows()) {
    if (EnclosingList(row) == list) SetDefault(row, target);
  }
}

}  // namespace cistern::server
