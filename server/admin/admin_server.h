// AdminServer: HTTP for operators on a port and a thread of its own: /metrics /healthz /readyz
// /stats and an index at /. No authentication: whoever reaches the port sees figures, no keys.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "net/address.h"
#include "server/admin/stats_snapshot.h"

struct MHD_Daemon;

namespace cistern::server {

// Made and destroyed by one thread.
class AdminServer {
 public:
  // Called on the admin thread, one call at a time, until the AdminServer is gone; they must not
  // wait for the thread that destroys it.
  struct Sources {
    std::function<StatsSnapshot()> stats;
    std::function<bool()> ready;  // whether clients should be sent here
  };

  // Listens when it returns. The error names address and reason: "127.0.0.1:9379: Address already
  // in use". Unix sockets are refused.
  static net::Result<std::unique_ptr<AdminServer>> Start(const net::Address& address,
                                                         Sources sources);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  // Closes the port, waits for an answer under way, ends the thread.
  ~AdminServer();

  // What was asked for, or what the kernel chose where that was 0.
  uint16_t bound_port() const { return port_; }

 private:
  explicit AdminServer(Sources sources);

  const Sources sources_;
  MHD_Daemon* daemon_ = nullptr;
  uint16_t port_ = 0;
};

}  // namespace cistern::server
