// Connector: the flow that turns an address into a connected socket, or says why not.
#pragma once

#include <functional>
#include <memory>

#include "cache/clock.h"
#include "net/address.h"
#include "net/loop.h"

namespace cistern::net {

struct ConnectError {
  bool timed_out = false;
  std::string text;  // "connection refused"; without the address
};

// Used on its loop's thread only. Numeric addresses are dialled at once, names are resolved on
// libuv's threads and their addresses tried in turn, all within one timeout.
class Connector {
 public:
  // `fd` is connected, non-blocking, close-on-exec, and the receiver's from now on.
  using Done = std::function<void(tl::expected<int, ConnectError> fd)>;

  // `done` is called once, later, never inside this call. May destroy the Connector.
  Connector(Loop& loop, const Address& address, cache::Duration timeout, Done done);
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  // Cancels: `done` will not be called.
  ~Connector();

 private:
  struct Flow;
  std::shared_ptr<Flow> flow_;  // shared with libuv's requests under way
};

}  // namespace cistern::net
