// TurnInputs: what many clients sent in one turn, to be executed together at its end.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "net/loop.h"
#include "server/request_batch.h"

namespace cistern::server {

class ClientConnection;

// First everybody is read, then everybody is answered: so the CPU's caches keep the kernel's way
// in, then our own, then the kernel's way out, instead of all three a client; that is worth more
// than the copy of what is small. Nobody waits longer than for the clients that were ready with it.
// And while one is answered, what the next one will read is on its way from memory.
//
// Belongs to one worker and its loop's thread.
class TurnInputs {
 public:
  // `store`, which is looked ahead in, outlives it.
  TurnInputs(net::Loop& loop, cache::Store& store) : loop_(loop), store_(store) {}
  TurnInputs(const TurnInputs&) = delete;
  TurnInputs& operator=(const TurnInputs&) = delete;

  // Keeps a copy for ClientConnection::TakeInput() at the turn's end. False: it is to be taken at
  // once, for it is large, or there is no room. REQUIRES: there is nothing of the client here.
  bool Add(ClientConnection& client, std::string_view bytes);
  // What there is of it is taken now: something else happens to the client that comes after it.
  void TakeNow(ClientConnection& client);
  // The client is about to be destroyed.
  void Forget(const ClientConnection& client);

 private:
  static constexpr size_t kRoom = size_t{64} << 10;
  static constexpr size_t kMostEach = size_t{4} << 10;

  struct Input {
    ClientConnection* client;  // null: taken, or forgotten
    std::string_view bytes;
    RequestBatch* batch;  // null: not prepared yet
  };

  Input* Find(const ClientConnection& client);
  void Prepare(size_t i);
  static void Take(Input& input);
  void TakeAll();

  net::Loop& loop_;
  cache::Store& store_;
  std::array<RequestBatch, 2> batches_;  // of the one that is taken, and of the next one
  const std::unique_ptr<char[]> room_ = std::make_unique<char[]>(kRoom);
  size_t used_ = 0;
  std::vector<Input> inputs_;
};

}  // namespace cistern::server
