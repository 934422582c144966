// How commands read values: hits are answered at once, misses once they are loaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "server/call.h"

namespace cistern::server {

// For a command that reads one key: its row's `found` writes the reply.
void ReadOne(Call& call);

// What is known of the keys of one command, in their order.
class ReadValues {
 public:
  enum class Keep : uint8_t { kValues, kPresence };

  // Forgets what it has: it is to be about so many keys.
  void Reset(Keep keep, size_t keys);
  void Put(size_t i, const cache::Found& found);
  void PutLoaded(size_t i, const cache::Answer& answer);

  size_t size() const { return values_.size(); }
  bool found(size_t i) const { return values_[i].found; }
  // Nothing where the key was not found. REQUIRES: values are kept.
  void Write(size_t i, Reply& reply) const;

 private:
  struct Value {
    bool found = false;
    size_t offset = 0;  // of a small one, in small_
    size_t size = 0;
    cache::BlobPtr blob;  // set: a large one
  };

  Keep keep_ = Keep::kValues;
  std::string small_;
  std::vector<Value> values_;
};

// For a command on all keys that its row names: looks at all, loads together those that are
// missing, and writes one reply: an error if one key failed (clients mishandle errors inside
// arrays).
using WriteValues = void (*)(Reply&, const ReadValues&);
void ReadMany(Call& call, ReadValues::Keep keep, WriteValues write);

// Whether the key is of those that clients probe with: answered here as absent, never asked of a
// peer or a backend (server.local_only_prefixes).
bool IsLocalOnly(Call& call, std::string_view key);

}  // namespace cistern::server
