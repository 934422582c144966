// How commands read values: hits are answered at once, misses once they are loaded.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "server/call.h"

namespace cistern::server {

// For a command that reads one key: writes the reply for what was found. Under the lock of its
// shard, if it is a hit: copies, pins or counts.
using WriteFound = std::function<void(Reply&, const cache::Found&)>;
void ReadOne(Call& call, const WriteFound& write);
// Its row's `found` does.
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
  // Null where the key was not found. REQUIRES, like bytes(): values are kept.
  void Write(size_t i, Reply& reply) const;
  // The empty value where the key was not found. Valid as long as this is and changes not.
  std::string_view bytes(size_t i) const;

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
using WriteValues = std::function<void(Reply&, const ReadValues&)>;
void ReadMany(Call& call, ReadValues::Keep keep, const WriteValues& write);

// Whether the key is of those that clients probe with: answered here as absent, never asked of a
// peer or a backend (server.local_only_prefixes).
bool IsLocalOnly(Call& call, std::string_view key);

}  // namespace cistern::server
