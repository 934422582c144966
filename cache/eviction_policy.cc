#include "cache/eviction_policy.h"

#include "cache/arc.h"
#include "cache/fifo.h"
#include "cache/lfu.h"
#include "cache/lru.h"
#include "cache/s3fifo.h"

namespace cistern::cache {

std::unique_ptr<EvictionPolicy> MakePolicy(std::string_view name, const PolicyContext& context) {
  if (name == "adaptive") return std::make_unique<S3Fifo>(context, context.tuner);
  if (name == "s3fifo") return std::make_unique<S3Fifo>(context);
  if (name == "lru") return std::make_unique<Lru>(context.arena);
  if (name == "lfu") return std::make_unique<Lfu>(context.arena);
  if (name == "fifo") return std::make_unique<Fifo>(context.arena);
  if (name == "arc") return std::make_unique<Arc>(context);
  return nullptr;
}

}  // namespace cistern::cache
