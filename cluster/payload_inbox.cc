#include "cluster/payload_inbox.h"

#include "cluster/wire_values.h"

namespace cistern::cluster {
namespace {

constexpr size_t kPartBytes = 128;  // with its place in the table

}  // namespace

PayloadInbox::Status PayloadInbox::Take(wire::Frame& frame) {
  if (frame.has_chunk()) return TakeChunk(frame);
  return frame.detached().empty() ? Status::kWhole : Hold(frame);
}

PayloadInbox::Status PayloadInbox::Hold(wire::Frame& frame) {
  auto held = std::make_shared<Held>();
  for (const wire::Detached& detached : frame.detached()) {
    const bool is_new =
        parts_.emplace(detached.payload(), Part{held, detached.index(), std::string()}).second;
    if (!is_new || LargeFieldOf(frame, detached.index()) == nullptr) return Status::kMalformed;
  }
  held->missing = frame.detached_size();
  held->bytes = frame.SpaceUsedLong() + static_cast<size_t>(held->missing) * kPartBytes;
  bytes_ += held->bytes;
  if (bytes_ > max_bytes_) return Status::kMalformed;
  held->frame.Swap(&frame);
  return Status::kIncomplete;
}

PayloadInbox::Status PayloadInbox::TakeChunk(wire::Frame& frame) {
  const wire::Chunk& chunk = frame.chunk();
  const auto at = parts_.find(chunk.payload());
  if (at == parts_.end()) return Status::kMalformed;
  Part& part = at->second;
  bytes_ += chunk.data().size();
  if (bytes_ > max_bytes_) return Status::kMalformed;
  part.data.append(chunk.data());
  if (!chunk.last()) return Status::kIncomplete;

  const std::shared_ptr<Held> held = std::move(part.held);
  bytes_ -= part.data.size();
  *LargeFieldOf(held->frame, part.index) = std::move(part.data);
  parts_.erase(at);
  if (--held->missing > 0) return Status::kIncomplete;
  bytes_ -= held->bytes;
  held->frame.clear_detached();
  frame.Swap(&held->frame);
  return Status::kWhole;
}

}  // namespace cistern::cluster
