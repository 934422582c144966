// S3FifoRule: by what S3-FIFO keeps and evicts.
#pragma once

namespace cistern::cache {

struct S3FifoRule {
  double small = 0.1;     // part of the room that is for newcomers
  double ghosts = 0.9;    // so much of the room's worth of evicted newcomers is remembered
  int threshold = 2;      // hits that a newcomer needs to stay
  unsigned lucky_of = 0;  // one in so many stays without; 0: none
};

// Hits count up to here.
inline constexpr int kS3FifoMostHeat = 3;

}  // namespace cistern::cache
