#include "cache/key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace cistern::cache {

uint64_t HashKey(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace cistern::cache
