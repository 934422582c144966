// ClientFilter: which clients CLIENT KILL and CLIENT LIST mean.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cache/clock.h"
#include "server/client_state.h"

namespace cistern::server {

// Plain data: goes from thread to thread. What is not set fits everybody.
struct ClientFilter {
  std::vector<uint64_t> ids;  // sorted; empty: any
  std::optional<std::string> address;
  std::optional<std::string> local_address;
  std::optional<cache::Duration> connected_for;  // at least so long
  bool fits_nobody = false;                      // of a type or user that no client here has
  uint64_t but_not = 0;                          // SKIPME: this client

  bool Fits(const ClientState& client, cache::Instant now) const;
};

// The error is the reply's.
using ParsedFilter = tl::expected<ClientFilter, std::string>;

// The options behind CLIENT KILL, in Redis's newer form; `self` asks. Every option at most once
// counts: the last one.
ParsedFilter ParseKill(std::span<const std::string_view> options, uint64_t self);
// ... behind CLIENT LIST: [TYPE type] or [ID id ...].
ParsedFilter ParseList(std::span<const std::string_view> options);

}  // namespace cistern::server
