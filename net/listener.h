// Listener: one listening socket, whose accepted connections are handed on as file descriptors.
#pragma once

#include <functional>
#include <memory>

#include "net/address.h"
#include "net/loop.h"

namespace cistern::net {

// Used on its loop's thread only (or before the loop runs).
class Listener {
 public:
  // `fd` is non-blocking, close-on-exec and the callback's from now on: it may be adopted by a
  // Stream of any loop.
  using OnAccept = std::function<void(int fd)>;

  struct Options {
    int backlog = 511;
    unsigned unix_mode = 0700;  // permissions of a unix socket, set before it can be reached
  };

  // Binds and listens before it returns. A unix path is unlinked first if it is a socket that
  // nobody answers at. The error names address and reason: "127.0.0.1:6379: address already in
  // use".
  static Result<std::unique_ptr<Listener>> Open(Loop& loop, const Address& address,
                                                OnAccept on_accept, Options options);
  static Result<std::unique_ptr<Listener>> Open(Loop& loop, const Address& address,
                                                OnAccept on_accept);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  // Closes.
  ~Listener();

  // Accepts no more, at once; a unix socket's path is removed. Idempotent.
  void Close();

  // What was asked for, with the port that the kernel chose if that was 0. (thread-safe)
  const Address& address() const { return address_; }
  uint16_t bound_port() const { return address_.port; }

 private:
  struct State;  // outlives the Listener until libuv has let go of the handle

  Listener(State* state, Address address) : state_(state), address_(std::move(address)) {}

  State* state_;
  const Address address_;
};

}  // namespace cistern::net
