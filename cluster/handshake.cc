#include "cluster/handshake.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "cluster/hash_input.h"

namespace cistern::cluster {
namespace {

constexpr size_t kNonceBytes = 32;

// Not equal for the two sides: so neither can prove itself by repeating what it heard.
enum class Prover : uint8_t { kAsker, kServer };

void AddIdentity(const wire::Identity& identity, HashInput& input) {
  input.Add(uint64_t{identity.min_version()}).Add(uint64_t{identity.max_version()});
  input.Add(identity.features()).Add(identity.name()).Add(identity.incarnation());
  input.Add(identity.epoch()).Add(identity.members_hash()).Add(identity.groups_hash());
  input.Add(identity.longest_lease_us()).Add(identity.change());
}

// Empty when it cannot be computed.
std::string Proof(std::string_view secret, Prover prover, const wire::Hello& hello,
                  const wire::HelloReply& reply) {
  HashInput input;
  input.Add(prover == Prover::kAsker ? "cistern asker" : "cistern server");
  input.Add(uint64_t{reply.version()}).Add(hello.nonce()).Add(reply.nonce());
  input.Add(static_cast<uint64_t>(hello.kind())).Add(hello.to());
  AddIdentity(hello.identity(), input);
  AddIdentity(reply.identity(), input);

  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  // An empty view may have no address, which OpenSSL takes for "the key of before".
  const char* key = secret.empty() ? "" : secret.data();
  if (HMAC(EVP_sha256(), key, static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(input.bytes().data()), input.bytes().size(),
           digest.data(), &length) == nullptr) {
    return {};
  }
  return std::string(reinterpret_cast<const char*>(digest.data()), length);
}

bool ProofHolds(const std::string& heard, const std::string& right) {
  return !right.empty() && heard.size() == right.size() &&
         CRYPTO_memcmp(heard.data(), right.data(), right.size()) == 0;
}

// As configuration allows names: they stand in logs and in what is answered to strangers.
bool IsName(const std::string& name) {
  constexpr size_t kMostBytes = 64;
  return !name.empty() && name.size() <= kMostBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// What both sides demand of the other's identity. Empty: nothing to say against it.
Refused Judge(const wire::Identity& peer, const std::string& nonce, const Identity& self) {
  if (nonce.size() < kNonceBytes) return "a hello without a nonce";
  if (!IsName(peer.name())) return "a hello without a name";
  if (peer.name() == self.name) {
    return peer.incarnation() == self.incarnation
               ? fmt::format("node '{}' is connected to itself", self.name)
               : fmt::format("two nodes call themselves '{}'", self.name);
  }
  if (peer.max_version() < self.min_version || peer.min_version() > self.max_version) {
    return fmt::format("node '{}' speaks protocol {} to {}, node '{}' {} to {}", peer.name(),
                       peer.min_version(), peer.max_version(), self.name, self.min_version,
                       self.max_version);
  }
  return {};
}

Refused WrongSecret(std::string_view name) {
  return fmt::format("node '{}' does not prove the cluster's secret", name);
}

}  // namespace

std::string FreshNonce() {
  std::string nonce(kNonceBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(nonce.data()), static_cast<int>(nonce.size())) !=
      1) {
    return {};
  }
  return nonce;
}

ClientHandshake::ClientHandshake(Identity self, std::string_view secret, wire::LinkKind kind,
                                 std::string to, std::string nonce)
    : self_(std::move(self)), secret_(secret) {
  *hello_.mutable_identity() = ToWire(self_);
  hello_.set_kind(kind);
  hello_.set_to(std::move(to));
  hello_.set_nonce(std::move(nonce));
}

tl::expected<wire::HelloProof, Refused> ClientHandshake::OnReply(const wire::HelloReply& reply) {
  if (Refused refused = Judge(reply.identity(), reply.nonce(), self_); !refused.empty())
    return tl::unexpected(std::move(refused));
  if (reply.identity().name() != hello_.to()) {
    return tl::unexpected(
        fmt::format("node '{}' was dialled, '{}' answered", hello_.to(), reply.identity().name()));
  }
  if (reply.version() < self_.min_version || reply.version() > self_.max_version) {
    return tl::unexpected(
        fmt::format("node '{}' wants to speak protocol {}", hello_.to(), reply.version()));
  }
  reply_ = reply;
  wire::HelloProof proof;
  proof.set_proof(Proof(secret_, Prover::kAsker, hello_, reply_));
  return proof;
}

tl::expected<PeerIdentity, Refused> ClientHandshake::OnWelcome(const wire::Welcome& welcome) {
  if (reply_.nonce().empty())
    return tl::unexpected<Refused>("a welcome before the reply to the hello");
  if (!ProofHolds(welcome.proof(), Proof(secret_, Prover::kServer, hello_, reply_)))
    return tl::unexpected(WrongSecret(reply_.identity().name()));
  return FromWire(reply_.identity(), self_, reply_.version());
}

ServerHandshake::ServerHandshake(Identity self, std::string_view secret, std::string nonce)
    : self_(std::move(self)), secret_(secret) {
  *reply_.mutable_identity() = ToWire(self_);
  reply_.set_nonce(std::move(nonce));
}

tl::expected<wire::HelloReply, Refused> ServerHandshake::OnHello(const wire::Hello& hello) {
  if (Refused refused = Judge(hello.identity(), hello.nonce(), self_); !refused.empty())
    return tl::unexpected(std::move(refused));
  if (!IsName(hello.to())) return tl::unexpected<Refused>("a hello to nobody");
  if (hello.to() != self_.name) {
    return tl::unexpected(fmt::format("node '{}' dialled '{}', this is '{}'",
                                      hello.identity().name(), hello.to(), self_.name));
  }
  if (hello.kind() != wire::LINK_CONTROL && hello.kind() != wire::LINK_DATA)
    return tl::unexpected<Refused>("a kind of connection that is not known here");
  hello_ = hello;
  reply_.set_version(std::min(hello.identity().max_version(), self_.max_version));
  return reply_;
}

tl::expected<PeerIdentity, Refused> ServerHandshake::OnProof(const wire::HelloProof& proof,
                                                             wire::Welcome& welcome) {
  if (hello_.nonce().empty()) return tl::unexpected<Refused>("a proof before the hello");
  if (!ProofHolds(proof.proof(), Proof(secret_, Prover::kAsker, hello_, reply_)))
    return tl::unexpected(WrongSecret(hello_.identity().name()));
  welcome.set_proof(Proof(secret_, Prover::kServer, hello_, reply_));
  return FromWire(hello_.identity(), self_, reply_.version());
}

}  // namespace cistern::cluster
