// A key with its hash, computed once a request.
#pragma once

#include <cstdint>
#include <string_view>

namespace cistern::cache {

// Longer ones are refused at the door.
inline constexpr size_t kMaxKeyBytes = size_t{64} << 10;

// XXH3, 64 bits. The top bits choose the shard, the low bits the bucket, bits in between the tag.
uint64_t HashKey(std::string_view bytes);

struct Key {
  std::string_view bytes;  // the client's whole key; valid as long as whoever made the Key says
  uint64_t hash;

  static Key Of(std::string_view bytes) { return {bytes, HashKey(bytes)}; }
};

}  // namespace cistern::cache
