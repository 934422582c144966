#include "server/acceptor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "server/error_texts.h"

namespace cistern::server {
namespace {

// Told without waiting: an empty socket buffer takes it, and who is overrun waits for nobody.
void TurnAway(int fd) {
  std::string reply = "-";
  reply.append(error_texts::kMaxClients).append("\r\n");
  static_cast<void>(send(fd, reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  close(fd);
}

}  // namespace

net::Result<std::unique_ptr<Acceptor>> Acceptor::Open(net::Loop& loop,
                                                      std::span<const std::string> addresses,
                                                      std::span<Worker* const> workers,
                                                      size_t max_clients) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(workers, max_clients));
  for (const std::string& text : addresses) {
    const auto address = net::Address::Parse(text);
    if (!address) return tl::unexpected(address.error());
    auto listener =
        net::Listener::Open(loop, *address, [self = acceptor.get()](int fd) { self->Deal(fd); });
    if (!listener) return tl::unexpected(listener.error());
    acceptor->listeners_.push_back(std::move(*listener));
  }
  return acceptor;
}

void Acceptor::Close() {
  for (const auto& listener : listeners_)
    listener->Close();
}

std::vector<net::Address> Acceptor::addresses() const {
  std::vector<net::Address> addresses;
  for (const auto& listener : listeners_)
    addresses.push_back(listener->address());
  return addresses;
}

void Acceptor::Deal(int fd) {
  size_t clients = 0;
  Worker* fewest = workers_.front();
  for (Worker* worker : workers_) {
    clients += worker->clients();
    if (worker->clients() < fewest->clients()) fewest = worker;
  }
  if (clients >= max_clients_) {
    rejected_.Add();
    TurnAway(fd);
    return;
  }
  fewest->Adopt(fd, ++last_id_);
}

}  // namespace cistern::server
