#include "net/tls_filter.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "net/pem_file.h"

namespace cistern::net {

// As memory BIOs, but the input is read where it lies, and both keep no memory of their own.
int TlsFilter::TakeInput(BIO* bio, char* to, size_t size, size_t* taken) {
  std::string_view& input = static_cast<TlsFilter*>(BIO_get_data(bio))->input_;
  BIO_clear_retry_flags(bio);
  if (input.empty()) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *taken = std::min(size, input.size());
  std::memcpy(to, input.data(), *taken);
  input.remove_prefix(*taken);
  return 1;
}

int TlsFilter::GiveOutput(BIO* bio, const char* from, size_t size, size_t* given) {
  BIO_clear_retry_flags(bio);
  static_cast<TlsFilter*>(BIO_get_data(bio))->output_.append(from, size);
  *given = size;
  return 1;
}

const void* TlsFilter::BioMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cistern");
    BIO_meth_set_read_ex(made, &TakeInput);
    BIO_meth_set_write_ex(made, &GiveOutput);
    BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return method;
}

TlsFilter::TlsFilter(std::shared_ptr<const TlsContext> context, Side side)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())) {
  BIO* bio = BIO_new(static_cast<const BIO_METHOD*>(BioMethod()));
  if (ssl_ == nullptr || bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  if (side == Side::kAccepts) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
    SSL_set_verify(ssl_, SSL_VERIFY_PEER, nullptr);
  }
}

TlsFilter::~TlsFilter() {
  SSL_free(ssl_);
}

void TlsFilter::Feed(std::string_view cipher) {
  if (input_.empty()) {
    input_ = cipher;
  } else {
    kept_ = std::string(input_).append(cipher);
    input_ = kept_;
  }
}

void TlsFilter::Keep() {
  const bool is_kept = kept_.data() <= input_.data() && input_.data() < kept_.data() + kept_.size();
  if (is_kept || input_.empty()) return;
  kept_ = input_;
  input_ = kept_;
}

bool TlsFilter::has_input() const {
  return state_ <= State::kOpen && (!input_.empty() || SSL_pending(ssl_) > 0);
}

void TlsFilter::Handshake() {
  assert(state_ == State::kHandshake);
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    state_ = State::kOpen;
  } else {
    Judge(result);
  }
}

size_t TlsFilter::Read(std::span<char> room) {
  size_t filled = 0;
  while (filled < room.size() && state_ == State::kOpen) {
    size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, room.data() + filled, room.size() - filled, &got);
    filled += got;
    if (result == 1) continue;
    Judge(result);
    if (state_ == State::kOpen) break;
  }
  if (input_.empty() && !kept_.empty()) std::string().swap(kept_);
  return filled;
}

void TlsFilter::Write(std::string_view plain) {
  assert(can_write());
  while (!plain.empty()) {
    size_t taken = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_, plain.data(), plain.size(), &taken);
    if (result != 1) return Fail();
    plain.remove_prefix(taken);
  }
}

void TlsFilter::End() {
  if (!can_write()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsFilter::Judge(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      state_ = State::kEnded;
      return;
    default:
      Fail();
  }
}

void TlsFilter::Fail() {
  state_ = State::kFailed;
  const bool is_verdict = ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  error_ = "TLS: " + OpensslError();
  if (!is_verdict) return;
  error_ += std::string(": ") + X509_verify_cert_error_string(SSL_get_verify_result(ssl_));
}

}  // namespace cistern::net
