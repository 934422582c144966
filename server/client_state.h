// ClientState: what a node knows of one client between its requests.
#pragma once

#include <cstdint>
#include <string>

#include "cache/clock.h"
#include "resp/reply_writer.h"

namespace cistern::server {

struct Command;

// CLIENT REPLY: whether replies are wanted.
enum class ReplyMode : uint8_t {
  kOn,
  kOff,
  kSkipNext,  // not of the next request
  kSkip,      // not of the request that runs
};

// Belongs to the thread of the client's worker. Changed by command handlers, but for what is marked
// as the connection's.
struct ClientState {
  uint64_t id = 0;                        // the connection's: unique and rising in this process
  std::string address;                    // the connection's: "127.0.0.1:50312", a unix path
  std::string local_address;              // the connection's
  int fd = -1;                            // the connection's: for CLIENT LIST
  cache::Instant connected_at;            // the connection's
  cache::Instant active_at;               // the connection's: of its last request or late reply
  const Command* last_command = nullptr;  // or subcommand; null: none yet
  resp::Protocol protocol = resp::Protocol::kResp2;
  // True from the start when no password is asked for. Once true the parser's wider limits hold,
  // from the next request on.
  bool authenticated = false;
  ReplyMode reply_mode = ReplyMode::kOn;  // CLIENT REPLY
  bool is_evictable = true;               // CLIENT NO-EVICT: not closed for what it costs
  bool touches = true;                    // CLIENT NO-TOUCH: its reads keep nothing in the cache
  std::string name;                       // CLIENT SETNAME
  std::string lib_name;                   // CLIENT SETINFO LIB-NAME
  std::string lib_version;                // CLIENT SETINFO LIB-VER
};

// What one client holds at a moment, in bytes but for the places.
struct ClientCosts {
  size_t input = 0;           // received and not executed
  size_t input_free = 0;      // room of its buffer beside that
  size_t waiting = 0;         // copied arguments of requests that wait for others
  size_t unsent = 0;          // replies, pinned values included
  size_t pending_places = 0;  // requests not answered yet
  size_t total = 0;           // all that closing it may give back
  bool is_paused = false;     // by CLIENT PAUSE
  bool is_closing = false;    // once it has its replies
};

}  // namespace cistern::server
