// Blob: immutable bytes with many owners: what a load brought, a stored large value, a pinned
// reply.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cache/budget.h"

namespace cistern::cache {

class Blob {
 public:
  explicit Blob(std::string bytes) : bytes_(std::move(bytes)) {}
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  // Valid as long as any owner holds the blob. (thread-safe)
  std::string_view bytes() const { return bytes_; }
  // What it costs in memory: its bytes and the allocations around them.
  size_t charge() const;

  // From now until its last owner lets go the blob is charged to `budget` (and no longer to the one
  // before). Callers of one blob must not call this at the same time; in cache/ the shard's lock
  // or the flight that loaded it sees to that.
  void ChargeTo(Budget& budget) const { charge_ = Charge(budget, ChargeKind::kValues, charge()); }

 private:
  const std::string bytes_;
  mutable Charge charge_;
};

using BlobPtr = std::shared_ptr<const Blob>;

inline BlobPtr MakeBlob(std::string bytes) {
  return std::make_shared<const Blob>(std::move(bytes));
}

}  // namespace cistern::cache
