// TlsFilter: one side of one TLS connection, as a machine from bytes to bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/tls_context.h"

struct bio_st;  // NOLINT(readability-identifier-naming): OpenSSL's
struct ssl_st;  // NOLINT(readability-identifier-naming): OpenSSL's

namespace cistern::net {

// Knows no socket: what came from the other side is fed, what is to be sent to it is gathered in
// output(). A byte that is fed is copied only if it must wait (Keep). Whoever uses it bounds both
// directions: by reading no more while has_input(), and by sending output() before it writes more.
// One thread at a time.
class TlsFilter {
 public:
  enum class Side : uint8_t { kAccepts, kConnects };
  enum class State : uint8_t {
    kHandshake,
    kOpen,
    kEnded,   // the other side sends no more; it can still be written to
    kFailed,  // error() says why; output() may hold the alert that tells the other side
  };

  TlsFilter(std::shared_ptr<const TlsContext> context, Side side);
  TlsFilter(const TlsFilter&) = delete;
  TlsFilter& operator=(const TlsFilter&) = delete;
  ~TlsFilter();

  State state() const { return state_; }
  bool can_write() const { return state_ == State::kOpen || state_ == State::kEnded; }
  // REQUIRES: kFailed.
  const std::string& error() const { return error_; }

  // `cipher` must stay where it is until has_input() is false, or Keep() was called.
  void Feed(std::string_view cipher);
  // Copies what has been fed and not been used yet.
  void Keep();
  // Whether Read() may have more to say without more being fed.
  bool has_input() const;

  // Goes on with the handshake; the side that connects begins it so.
  void Handshake();
  // Decrypts what was fed, until `room` is full, and returns the number of bytes. 0: more must be
  // fed first, or state() says why there will be none.
  size_t Read(std::span<char> room);
  // Encrypts all of it. REQUIRES: can_write().
  void Write(std::string_view plain);
  // Tells the other side that nothing more comes.
  void End();

  // What is to be sent. Whoever has sent it clears it.
  std::string& output() { return output_; }

 private:
  static int TakeInput(bio_st* bio, char* to, size_t size, size_t* taken);
  static int GiveOutput(bio_st* bio, const char* from, size_t size, size_t* given);
  static const void* BioMethod();
  void Judge(int result);
  void Fail();

  const std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_;
  State state_ = State::kHandshake;
  std::string error_;
  std::string_view input_;  // lies in kept_, or where Feed() was told
  std::string kept_;
  std::string output_;
};

}  // namespace cistern::net
