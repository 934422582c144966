// Acceptor: the client ports of a node, and who serves whoever comes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/stats.h"
#include "net/listener.h"
#include "net/tls_source.h"
#include "server/worker.h"

namespace cistern::server {

// One listening socket an address, all on one loop; accepted sockets are dealt to the worker with
// the fewest clients. Used on that loop's thread only, or before it runs.
class Acceptor {
 public:
  // Binds all of `addresses` ("host:port", "unix:/path", "tls:host:port") or none. `workers` are
  // not empty, and outlive the acceptor, as does `tls`; null where no address has it. The error
  // names the address and the reason.
  static net::Result<std::unique_ptr<Acceptor>> Open(net::Loop& loop,
                                                     std::span<const std::string> addresses,
                                                     std::span<Worker* const> workers,
                                                     size_t max_clients,
                                                     const net::TlsSource* tls = nullptr);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  // Closes.
  ~Acceptor() = default;

  // Accepts no more. Idempotent.
  void Close();

  // In the order asked for, with the ports that the kernel chose. (thread-safe)
  std::vector<net::ListenAddress> addresses() const;
  // Turned away: max_clients were there. (thread-safe)
  uint64_t rejected() const { return rejected_.value(); }

 private:
  struct Door {
    std::unique_ptr<net::Listener> listener;
    bool tls;
  };

  Acceptor(std::span<Worker* const> workers, size_t max_clients, const net::TlsSource* tls)
      : workers_(workers.begin(), workers.end()), max_clients_(max_clients), tls_(tls) {}

  void Deal(int fd, bool tls);

  const std::vector<Worker*> workers_;
  const size_t max_clients_;
  const net::TlsSource* const tls_;
  std::vector<Door> doors_;
  uint64_t last_id_ = 0;
  cache::Counter rejected_;
};

}  // namespace cistern::server
