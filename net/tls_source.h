// TlsSource: certificate files in use, which may be replaced while connections are served.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "net/tls_context.h"

namespace cistern::net {

// (thread-safe)
class TlsSource {
 public:
  static Result<std::unique_ptr<TlsSource>> Load(TlsOptions options);

  // Reads the files again: connections made from now on use what they hold. An error says why, and
  // changes nothing.
  Result<void> Reload();

  std::shared_ptr<const TlsContext> current() const;
  // Null of null, which is no TLS.
  static std::shared_ptr<const TlsContext> CurrentOf(const TlsSource* source) {
    return source == nullptr ? nullptr : source->current();
  }

 private:
  TlsSource(TlsOptions options, std::shared_ptr<const TlsContext> context)
      : options_(std::move(options)), current_(std::move(context)) {}

  const TlsOptions options_;
  mutable std::mutex mutex_;  // guards current_
  std::shared_ptr<const TlsContext> current_;
};

}  // namespace cistern::net
