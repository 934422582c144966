// WorkerStats: counters of one worker's clients, written by its thread, read by any.
#pragma once

#include "cache/histogram.h"

namespace cistern::server {

struct WorkerStats {
  cache::Counter connections;          // adopted, ever
  cache::Counter commands;             // requests answered or begun, refused ones included
  cache::Counter reads;                // reads that brought bytes: with `commands` the depth of
                                       // pipelines
  cache::Counter input_bytes;          // read from clients
  cache::Counter output_bytes;         // of replies, when handed to the socket
  cache::Counter error_replies;        // of unknown commands, wrong arity, no authentication
  cache::Counter protocol_errors;      // clients closed for bytes that are no requests
  cache::Counter closed_output_limit;  // clients closed because they did not read
  cache::Counter closed_idle;
  cache::Counter closed_tls;              // handshakes that failed, records that were none
  cache::Counter closed_unauthenticated;  // too late, or too many of them
  cache::Counter evicted_clients;         // closed because memory was full
  cache::Counter refused_connections;     // turned away because memory was full
  cache::Histogram hit_batches;  // one in 64 batches of a read that were all answered at once: its
                                 // time from the read's return to its write's
};

}  // namespace cistern::server
