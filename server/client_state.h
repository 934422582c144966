// ClientState: what a node knows of one client between its requests.
#pragma once

#include <cstdint>
#include <string>

#include "cache/clock.h"
#include "resp/reply_writer.h"

namespace cistern::server {

struct Command;

// Belongs to the thread of the client's worker. Changed by command handlers, but for what is marked
// as the connection's.
struct ClientState {
  uint64_t id = 0;                        // the connection's: unique and rising in this process
  std::string address;                    // the connection's: "127.0.0.1:50312", a unix path
  std::string local_address;              // the connection's
  cache::Instant connected_at;            // the connection's
  cache::Instant active_at;               // the connection's: of its last request or late reply
  const Command* last_command = nullptr;  // the connection's; null: none yet
  resp::Protocol protocol = resp::Protocol::kResp2;
  // True from the start when no password is asked for. Once true the parser's wider limits hold,
  // from the next request on.
  bool authenticated = false;
  std::string name;         // CLIENT SETNAME
  std::string lib_name;     // CLIENT SETINFO LIB-NAME
  std::string lib_version;  // CLIENT SETINFO LIB-VER
};

}  // namespace cistern::server
