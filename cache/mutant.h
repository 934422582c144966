// Mutants: ways of breaking one rule on purpose, so that the history checker (tests/history) can
// show that it would notice. Only the program `cistern_mutants` has them; elsewhere every question
// below is the constant `false`.
#pragma once

#include <cstdint>

namespace cistern {

enum class Mutant : uint8_t {
  kNone,
  kNoDetach,               // an invalidation leaves flights under way alone
  kNoNotice,               // ... and tells no holder
  kAcknowledgeBeforeDrop,  // a holder acknowledges a notice, and drops its copy later
  kLateJoin,               // at a non-owner a GET joins a request that was sent before it came
  kClearedOnSend,          // a holder's record goes when its notice is sent, not when acknowledged
  kHoldersWithEntry,       // ... or together with the entry
  kLeaseFromReceipt,       // a holder counts its lease from the reply
  kDetachedGrants,         // a detached flight grants leases
  kNoGrace,                // a started node confirms at once
  kClearsLaterGrant,       // an acknowledgement ends leases granted after its notice
  kJoinedAfterLease,       // a leased reply answers later GETs though its lease is over
  kCachedClock,            // leased hits are judged by a clock read some time ago
  kNoOrder,                // requests of one connection that share a key overlap
  kSetWithoutRecall,       // SET tells no holder
  kBlindToDissent,         // a node does as if all had its list of members
  kOneRoundFlush,          // a flush drops copies before every owner has dropped its own
};

#ifdef CISTERN_MUTANTS
// Whether the environment's CISTERN_MUTANT names it (mutant.cc has the names). (thread-safe)
bool IsMutant(Mutant mutant);
#else
constexpr bool IsMutant(Mutant) {
  return false;
}
#endif

}  // namespace cistern
