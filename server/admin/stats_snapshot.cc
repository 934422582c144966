#include "server/admin/stats_snapshot.h"

#include <cmath>
#include <numeric>

namespace cistern::server {

uint64_t LatencyCounts::Total() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

uint64_t LatencyCounts::Quantile(double quantile) const {
  const uint64_t total = Total();
  if (total == 0) return 0;
  const auto rank = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(total)));
  uint64_t seen = 0;
  size_t bucket = 0;
  while (bucket + 1 < kBuckets && (seen += counts[bucket]) < rank)
    ++bucket;
  return (uint64_t{1} << bucket) - 1;
}

}  // namespace cistern::server
