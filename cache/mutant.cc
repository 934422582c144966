// Part of `cistern_mutants` only.
#include "cache/mutant.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace cistern {
namespace {

constexpr struct {
  std::string_view name;
  Mutant mutant;
} kNames[] = {
    {"no-detach", Mutant::kNoDetach},
    {"no-notice", Mutant::kNoNotice},
    {"acknowledge-before-drop", Mutant::kAcknowledgeBeforeDrop},
    {"late-join", Mutant::kLateJoin},
    {"cleared-on-send", Mutant::kClearedOnSend},
    {"holders-with-entry", Mutant::kHoldersWithEntry},
    {"lease-from-receipt", Mutant::kLeaseFromReceipt},
    {"detached-grants", Mutant::kDetachedGrants},
    {"no-grace", Mutant::kNoGrace},
    {"clears-later-grant", Mutant::kClearsLaterGrant},
    {"joined-after-lease", Mutant::kJoinedAfterLease},
    {"cached-clock", Mutant::kCachedClock},
    {"no-order", Mutant::kNoOrder},
    {"set-without-recall", Mutant::kSetWithoutRecall},
    {"blind-to-dissent", Mutant::kBlindToDissent},
    {"one-round-flush", Mutant::kOneRoundFlush},
};

// A name that is not known would be a test that tests nothing.
Mutant Chosen() {
  const char* chosen = std::getenv("CISTERN_MUTANT");
  if (chosen == nullptr) return Mutant::kNone;
  for (const auto& [name, mutant] : kNames) {
    if (name == chosen) return mutant;
  }
  std::fprintf(stderr, "no mutant is called '%s'\n", chosen);
  std::abort();
}

}  // namespace

bool IsMutant(Mutant mutant) {
  static const Mutant chosen = Chosen();
  return mutant == chosen;
}

}  // namespace cistern
