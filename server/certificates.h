// Certificates: what this node shows to clients and to other nodes.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "net/tls_source.h"
#include "server/config/config.h"

namespace cistern::server {

// (thread-safe)
class Certificates {
 public:
  // Reads the files of server.tls and cluster.tls, where they are set. What they warn of is logged.
  // The error names the row and the file.
  static tl::expected<Certificates, std::string> Load(const Config& config);

  // Reads them again. Connections that are there stay as they are; those to come use the new ones.
  // Where that fails, the log says why, and those before stay in use. False: something failed.
  bool Reload();

  // Null: clients, or nodes, have no TLS.
  const net::TlsSource* clients() const { return clients_.get(); }
  const net::TlsSource* peers() const { return peers_.get(); }

 private:
  std::unique_ptr<net::TlsSource> clients_;
  std::unique_ptr<net::TlsSource> peers_;
};

}  // namespace cistern::server
