#include "server/acceptor.h"

#include <algorithm>

#include "server/error_texts.h"
#include "server/turn_away.h"

namespace cistern::server {

net::Result<std::unique_ptr<Acceptor>> Acceptor::Open(net::Loop& loop,
                                                      std::span<const std::string> addresses,
                                                      std::span<Worker* const> workers,
                                                      size_t max_clients,
                                                      const net::TlsSource* tls) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(workers, max_clients, tls));
  for (const std::string& text : addresses) {
    const auto address = net::ListenAddress::Parse(text);
    if (!address) return tl::unexpected(address.error());
    if (address->tls && tls == nullptr) return tl::unexpected(text + ": there is no certificate");
    auto listener = net::Listener::Open(
        loop, *address,
        [self = acceptor.get(), is_tls = address->tls](int fd) { self->Deal(fd, is_tls); });
    if (!listener) return tl::unexpected(listener.error());
    acceptor->doors_.push_back({std::move(*listener), address->tls});
  }
  return acceptor;
}

void Acceptor::Close() {
  for (const Door& door : doors_)
    door.listener->Close();
}

std::vector<net::ListenAddress> Acceptor::addresses() const {
  std::vector<net::ListenAddress> addresses;
  for (const Door& door : doors_)
    addresses.push_back({door.listener->address(), door.tls});
  return addresses;
}

void Acceptor::Deal(int fd, bool tls) {
  size_t clients = 0;
  Worker* fewest = workers_.front();
  for (Worker* worker : workers_) {
    clients += worker->clients();
    if (worker->clients() < fewest->clients()) fewest = worker;
  }
  if (clients >= max_clients_) {
    rejected_.Add();
    TurnAway(fd, tls ? "" : error_texts::kMaxClients);
    return;
  }
  fewest->Adopt(fd, ++last_id_, tls ? tls_->current() : nullptr);
}

}  // namespace cistern::server
