#include "server/certificates.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace cistern::server {
namespace {

constexpr std::string_view kClients = "server.tls";
constexpr std::string_view kPeers = "cluster.tls";

void LogWarnings(std::string_view row, const net::TlsSource& source) {
  for (const std::string& warning : source.current()->warnings())
    spdlog::warn("{}: {}", row, warning);
}

tl::expected<std::unique_ptr<net::TlsSource>, std::string> LoadOne(std::string_view row,
                                                                   const net::TlsOptions& options) {
  if (!options.is_on()) return nullptr;
  auto source = net::TlsSource::Load(options);
  if (!source) return tl::unexpected(fmt::format("{}: {}", row, source.error()));
  LogWarnings(row, **source);
  return source;
}

bool ReloadOne(std::string_view row, net::TlsSource* source) {
  if (source == nullptr) return true;
  if (const auto reloaded = source->Reload(); !reloaded) {
    spdlog::error("{}: {}; the certificate read before stays in use", row, reloaded.error());
    return false;
  }
  spdlog::info("{}: from now on with the certificate that is valid until {}", row,
               source->current()->valid_until());
  LogWarnings(row, *source);
  return true;
}

}  // namespace

tl::expected<Certificates, std::string> Certificates::Load(const Config& config) {
  auto clients = LoadOne(kClients, config.server.tls);
  if (!clients) return tl::unexpected(clients.error());
  net::TlsOptions mutual = config.cluster.tls;
  mutual.client_auth = net::ClientAuth::kYes;
  auto peers = LoadOne(kPeers, mutual);
  if (!peers) return tl::unexpected(peers.error());
  Certificates certificates;
  certificates.clients_ = std::move(*clients);
  certificates.peers_ = std::move(*peers);
  return certificates;
}

bool Certificates::Reload() {
  const bool clients_done = ReloadOne(kClients, clients_.get());
  const bool peers_done = ReloadOne(kPeers, peers_.get());
  return clients_done && peers_done;
}

}  // namespace cistern::server
