#include "cache/context.h"

namespace cistern::cache {
namespace {

// The part of the budget that may be overrun, for a moment, before new loads are refused.
constexpr uint64_t kOverrun = 32;

}  // namespace

std::optional<Error> Context::StartLoad(Group& group) {
  const GroupConfig& config = group.config();
  if (store.in_flight(group.index()).Excess() > 0) {
    return errors::TooManyBytes(group.name(), config.max_load_bytes);
  }
  // Entries have been evicted for it already, and it is still too much.
  if (const Budget& budget = store.budget(); budget.Excess() > budget.limit() / kOverrun) {
    return errors::OutOfMemory(group.name(), budget.limit());
  }
  if (!group.TryStartLoad()) return errors::TooManyLoads(group.name(), config.max_loads);
  return std::nullopt;
}

}  // namespace cistern::cache
