// How commands change a part of a value: APPEND, INCR, SETBIT and their like.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/owner_call.h"

namespace cistern::server {

// What a command makes of a value, and answers.
struct Edit {
  cluster::CommandReply reply;
  // Writes the new value's `size` bytes, every one; null: the value stays as it is.
  std::function<void(char*)> write;
  size_t size = 0;

  static Edit None(cluster::CommandReply reply) { return {std::move(reply), nullptr, 0}; }
  static Edit To(std::string value, cluster::CommandReply reply);
  // The first `size` bytes of `old`, zeros where it has fewer; then `change(bytes)`. `old` is valid
  // until it is written.
  static Edit Resize(std::string_view old, size_t size, std::function<void(char*)> change,
                     cluster::CommandReply reply);
};

// Decides, under the shard's lock, what becomes of the value that the owner holds (none: it holds
// no value of that key).
using DecideEdit = std::function<Edit(std::optional<std::string_view> present)>;

// Edits the value of the first key in one critical section. A value keeps its life; a new one lives
// for the group's `ttl`. What is too large is refused before it is made. At the owner.
cache::Result<cluster::CommandReply> EditHere(OwnerCall& call, const DecideEdit& decide);

}  // namespace cistern::server
