#include "server/client_filter.h"

#include <algorithm>

#include "server/arguments.h"
#include "server/error_texts.h"

namespace cistern::server {
namespace {

// The one user, and the one type, that clients of this server are.
constexpr std::string_view kUser = "default";
constexpr std::string_view kType = "normal";
constexpr std::string_view kOtherTypes[] = {"master", "slave", "replica", "pubsub"};

// Empty, or the error.
std::string SetType(std::string_view type, ClientFilter& filter) {
  const auto is = [type](std::string_view known) { return EqualsIgnoringCase(type, known); };
  if (is(kType)) return "";
  if (std::none_of(std::begin(kOtherTypes), std::end(kOtherTypes), is))
    return error_texts::UnknownClientType(type);
  filter.fits_nobody = true;
  return "";
}

std::string SetId(std::string_view text, ClientFilter& filter) {
  const auto id = ParseInteger(text);
  if (!id || *id < 1) return std::string(error_texts::kBadKillId);
  filter.ids = {static_cast<uint64_t>(*id)};
  return "";
}

std::string SetMaxAge(std::string_view text, ClientFilter& filter) {
  const auto seconds = ParseInteger(text);
  if (!seconds) return std::string(error_texts::kMaxAgeNotAnInteger);
  if (*seconds < 1) return std::string(error_texts::kMaxAgeNotPositive);
  constexpr int64_t kMost = 1'000'000'000;
  filter.connected_for = std::chrono::seconds(std::min(*seconds, kMost));
  return "";
}

std::string SetSkipMe(std::string_view word, uint64_t self, ClientFilter& filter) {
  const bool yes = EqualsIgnoringCase(word, "yes");
  if (!yes && !EqualsIgnoringCase(word, "no")) return std::string(error_texts::kSyntax);
  filter.but_not = yes ? self : 0;
  return "";
}

std::string SetOption(std::string_view name, std::string_view value, uint64_t self,
                      ClientFilter& filter) {
  if (EqualsIgnoringCase(name, "id")) return SetId(value, filter);
  if (EqualsIgnoringCase(name, "type")) return SetType(value, filter);
  if (EqualsIgnoringCase(name, "maxage")) return SetMaxAge(value, filter);
  if (EqualsIgnoringCase(name, "skipme")) return SetSkipMe(value, self, filter);
  if (EqualsIgnoringCase(name, "addr")) {
    filter.address = value;
  } else if (EqualsIgnoringCase(name, "laddr")) {
    filter.local_address = value;
  } else if (EqualsIgnoringCase(name, "user")) {
    if (value != kUser) return error_texts::NoSuchUser(value);
  } else {
    return std::string(error_texts::kSyntax);
  }
  return "";
}

}  // namespace

bool ClientFilter::Fits(const ClientState& client, cache::Instant now) const {
  if (fits_nobody || client.id == but_not) return false;
  if (!ids.empty() && !std::binary_search(ids.begin(), ids.end(), client.id)) return false;
  if (address && *address != client.address) return false;
  if (local_address && *local_address != client.local_address) return false;
  return !connected_for || now - client.connected_at >= *connected_for;
}

ParsedFilter ParseKill(std::span<const std::string_view> options, uint64_t self) {
  ClientFilter filter;
  filter.but_not = self;
  if (options.size() % 2 != 0) return tl::unexpected(std::string(error_texts::kSyntax));
  for (size_t i = 0; i < options.size(); i += 2) {
    std::string error = SetOption(options[i], options[i + 1], self, filter);
    if (!error.empty()) return tl::unexpected(std::move(error));
  }
  return filter;
}

ParsedFilter ParseList(std::span<const std::string_view> options) {
  ClientFilter filter;
  if (options.empty()) return filter;
  if (options.size() == 2 && EqualsIgnoringCase(options[0], "type")) {
    std::string error = SetType(options[1], filter);
    if (!error.empty()) return tl::unexpected(std::move(error));
    return filter;
  }
  if (options.size() < 2 || !EqualsIgnoringCase(options[0], "id"))
    return tl::unexpected(std::string(error_texts::kSyntax));
  for (const std::string_view text : options.subspan(1)) {
    const auto id = ParseInteger(text);
    if (!id) return tl::unexpected(std::string(error_texts::kBadClientId));
    filter.ids.push_back(static_cast<uint64_t>(*id));
  }
  std::sort(filter.ids.begin(), filter.ids.end());
  return filter;
}

}  // namespace cistern::server
