#include "cache/context.h"

namespace cistern::cache {

std::optional<Error> Context::StartLoad(Group& group) {
  const GroupConfig& config = group.config();
  if (store.in_flight(group.index()).Excess() > 0) {
    return errors::TooManyBytes(group.name(), config.max_load_bytes);
  }
  if (!group.TryStartLoad()) return errors::TooManyLoads(group.name(), config.max_loads);
  return std::nullopt;
}

}  // namespace cistern::cache
