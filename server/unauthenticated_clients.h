// UnauthenticatedClients: what those who have not said who they are may cost together.
#pragma once

#include <cstdint>
#include <map>

namespace cistern::server {

class ClientConnection;

// Of one worker; on its thread.
class UnauthenticatedClients {
 public:
  explicit UnauthenticatedClients(uint64_t limit_bytes) : limit_(limit_bytes) {}

  void SetLimit(uint64_t bytes) { limit_ = bytes; }
  // The client costs so much from now on.
  void Set(uint64_t id, ClientConnection& client, uint64_t bytes) {
    Client& entry = clients_[id];
    sum_ += bytes - entry.bytes;
    entry = {&client, bytes};
  }
  // It has authenticated, or is gone.
  void Remove(uint64_t id) {
    const auto at = clients_.find(id);
    if (at == clients_.end()) return;
    sum_ -= at->second.bytes;
    clients_.erase(at);
  }
  // Who is to go, as long as all together cost too much: whoever came first, for who means well
  // authenticates at once. Else null.
  ClientConnection* Excess() const {
    return sum_ > limit_ && !clients_.empty() ? clients_.begin()->second.client : nullptr;
  }

 private:
  struct Client {
    ClientConnection* client = nullptr;
    uint64_t bytes = 0;
  };

  uint64_t limit_;
  uint64_t sum_ = 0;
  std::map<uint64_t, Client> clients_;  // by id, so by age
};

}  // namespace cistern::server
