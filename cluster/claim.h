// How strongly a node claims a slot.
#pragma once

#include <cstdint>
#include <string_view>

namespace cistern::cluster {

// -log2(u / 2^64) with 32 bits of fraction, rounded up, at least 1; u = 0 counts as 1. Squaring
// digit by digit in integers: a library's logarithm may differ in its last bit from one machine to
// the next, and two nodes that disagree about one slot would both load its keys.
uint64_t NegativeLog2(uint64_t u);

// The distance at which the node called `name` (its XXH3) stands from `slot`: exponentially
// distributed with rate `weight`, so the nearest of several nodes is each with a chance as its
// weight. (-ln(u)/w of weighted rendezvous hashing, its sign turned: smaller is stronger.)
uint64_t ClaimDistance(uint64_t name_hash, uint32_t weight, uint16_t slot);

}  // namespace cistern::cluster
