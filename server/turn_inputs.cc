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
  inputs_.push_back({&client, {copy, bytes.size()}, nullptr});
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
  if (Input* input = Find(client)) Take(*input);
}

void TurnInputs::Forget(const ClientConnection& client) {
  if (Input* input = Find(client)) input->client = nullptr;
}

void TurnInputs::Prepare(size_t i) {
  Input& input = inputs_[i];
  if (input.client == nullptr) return;
  input.batch = &batches_[i % batches_.size()];
  input.client->Prepare(input.bytes, *input.batch);
}

void TurnInputs::Take(Input& input) {
  ClientConnection* client = std::exchange(input.client, nullptr);
  if (client == nullptr) return;
  client->set_has_turn_input(false);
  client->TakeInput(input.bytes, input.batch);
}

void TurnInputs::TakeAll() {
  Prepare(0);
  // Taking one may close others, but destroys none: that comes from their sockets' callbacks.
  for (size_t i = 0; i < inputs_.size(); ++i) {
    RequestBatch* batch = inputs_[i].batch;
    // The buckets have come while the last one was written.
    if (batch != nullptr) batch->ahead().ToEntries(store_);
    if (i + 1 < inputs_.size()) Prepare(i + 1);
    if (batch != nullptr) batch->ahead().ToBlobs(store_);
    Take(inputs_[i]);
  }
  inputs_.clear();
  used_ = 0;
}

}  // namespace cistern::server
