#include "server/pending_reply.h"

#include <utility>

namespace cistern::server {

WaitingRequest::WaitingRequest(const Command& row, std::span<const std::string_view> from,
                               cache::Instant until)
    : command(&row), deadline(until) {
  size_t size = 0;
  for (const std::string_view arg : from)
    size += arg.size();
  bytes.reserve(size);
  args.reserve(from.size());
  for (const std::string_view arg : from) {
    args.emplace_back(bytes.data() + bytes.size(), arg.size());
    bytes += arg;
  }
}

void PendingReply::Finish() {
  if (finished_) return;
  finished_ = true;
  // The action may hold the last reference to this, by way of what it would cancel.
  const auto self = shared_from_this();
  const auto dropped = std::exchange(on_abandon_, nullptr);
  if (owner_ != nullptr) owner_->OnFinished(*this);
}

void PendingReply::OnAbandon(std::function<void()> action) {
  if (finished_) return;
  if (abandoned()) {
    action();
  } else {
    on_abandon_ = std::move(action);
  }
}

void PendingReply::Abandon() {
  if (owner_ == nullptr) return;
  owner_ = nullptr;
  waiting_.reset();
  const auto action = std::exchange(on_abandon_, nullptr);
  if (action && !finished_) action();
}

}  // namespace cistern::server
