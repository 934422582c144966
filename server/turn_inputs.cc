#include "server/turn_inputs.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "server/client_connection.h"

namespace cistern::server {

bool TurnInputs::Add(ClientConnection& client, std::string_view bytes) {
  if (bytes.size() > std::min(kMostEach, kRoom - used_)) return false;
  if (inputs_.empty()) loop_.AtTurnEnd([this] { TakeAll(); });
  char* copy = room_.get() + used_;
  std::memcpy(copy, bytes.data(), bytes.size());
  used_ += bytes.size();
  assert(!client.has_turn_input());
  inputs_.push_back({&client, {copy, bytes.size()}});
  client.set_has_turn_input(true);
  return true;
}

TurnInputs::Input* TurnInputs::Find(const ClientConnection& client) {
  if (!client.has_turn_input()) return nullptr;
  const auto found = std::find_if(inputs_.begin(), inputs_.end(),
                                  [&](const Input& input) { return input.client == &client; });
  return found == inputs_.end() ? nullptr : &*found;
}

void TurnInputs::TakeNow(ClientConnection& client) {
  Input* input = Find(client);
  if (input == nullptr) return;
  input->client = nullptr;
  client.set_has_turn_input(false);
  client.TakeInput(input->bytes);
}

void TurnInputs::Forget(const ClientConnection& client) {
  if (Input* input = Find(client)) input->client = nullptr;
}

void TurnInputs::TakeAll() {
  // Taking one may close others, but destroys none: that comes from their sockets' callbacks.
  for (Input& input : inputs_) {
    ClientConnection* client = std::exchange(input.client, nullptr);
    if (client == nullptr) continue;
    client->set_has_turn_input(false);
    client->TakeInput(input.bytes);
  }
  inputs_.clear();
  used_ = 0;
}

}  // namespace cistern::server
