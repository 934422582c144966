#include "net/tls_source.h"

namespace cistern::net {

Result<std::unique_ptr<TlsSource>> TlsSource::Load(TlsOptions options) {
  auto context = TlsContext::Load(options);
  if (!context) return tl::unexpected(context.error());
  return std::unique_ptr<TlsSource>(new TlsSource(std::move(options), std::move(*context)));
}

Result<void> TlsSource::Reload() {
  auto context = TlsContext::Load(options_);
  if (!context) return tl::unexpected(context.error());
  const std::lock_guard lock(mutex_);
  current_ = std::move(*context);
  return {};
}

std::shared_ptr<const TlsContext> TlsSource::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace cistern::net
