#include "net/backoff.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <random>

namespace cistern::net {
namespace {

Backoff::Random MachineSeeded() {
  std::random_device seed;
  return [engine = std::minstd_rand(seed())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

}  // namespace

Backoff::Backoff(Duration first, Duration cap) : Backoff(first, cap, MachineSeeded()) {}

Backoff::Backoff(Duration first, Duration cap, Random random)
    : first_(first), cap_(cap), last_(first), random_(std::move(random)) {
  assert(Duration::zero() < first && first <= cap);
}

Backoff::Duration Backoff::Next() {
  const double low = static_cast<double>(first_.count());
  const double high = 3.0 * static_cast<double>(last_.count());
  const auto wait = static_cast<Duration::rep>(low + random_() * (high - low));
  last_ = std::min(Duration(wait), cap_);
  return last_;
}

}  // namespace cistern::net
