// The hello: both sides say who they are and prove that they know the cluster's secret without
// saying it. Pure: knows no socket. One object a connection, one thread.
//
//   asker                                server
//   Hello: identity, nonce        ->
//                                 <-     HelloReply: identity, nonce, version
//   HelloProof: HMAC as asker     ->
//                                 <-     Welcome: HMAC as server
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cluster/identity.h"

namespace cistern::cluster {

// Why a hello was refused: a sentence for the log, also sent to the other side.
using Refused = std::string;

// 32 random bytes; empty when the machine has none (then the hello is refused).
std::string FreshNonce();

class ClientHandshake {
 public:
  // `secret` must outlive this. `to`: the name that the other side must have.
  ClientHandshake(Identity self, std::string_view secret, wire::LinkKind kind, std::string to,
                  std::string nonce = FreshNonce());

  const wire::Hello& hello() const { return hello_; }
  tl::expected<wire::HelloProof, Refused> OnReply(const wire::HelloReply& reply);
  // Only what was welcomed may be believed.
  tl::expected<PeerIdentity, Refused> OnWelcome(const wire::Welcome& welcome);

 private:
  const Identity self_;
  const std::string_view secret_;
  wire::Hello hello_;
  wire::HelloReply reply_;
};

class ServerHandshake {
 public:
  ServerHandshake(Identity self, std::string_view secret, std::string nonce = FreshNonce());

  tl::expected<wire::HelloReply, Refused> OnHello(const wire::Hello& hello);
  // On success `welcome` is to be sent.
  tl::expected<PeerIdentity, Refused> OnProof(const wire::HelloProof& proof,
                                              wire::Welcome& welcome);
  wire::LinkKind kind() const { return hello_.kind(); }

 private:
  const Identity self_;
  const std::string_view secret_;
  wire::Hello hello_;
  wire::HelloReply reply_;
};

}  // namespace cistern::cluster
