#include "net/write_queue.h"

#include <utility>

namespace cistern::net {
namespace {

// Copies are gathered into strings of about this size, so that many small replies to a slow reader
// do not become many buffers.
constexpr size_t kGatherBytes = size_t{64} << 10;

}  // namespace

void WriteQueue::Add(Piece piece) {
  if (piece.bytes.empty()) return;
  bytes_ += piece.bytes.size();
  if (!piece.owner) {
    const bool joins =
        !held_.empty() && held_.back().is_copy() && held_.back().copy.size() < kGatherBytes;
    if (!joins) held_.emplace_back();
    held_.back().copy += piece.bytes;
    return;
  }
  for (; piece.bytes.size() > kMaxPieceBytes; piece.bytes.remove_prefix(kMaxPieceBytes))
    held_.push_back({"", piece.bytes.substr(0, kMaxPieceBytes), nullptr, 0});
  held_.push_back({"", piece.bytes, std::move(piece.owner), 0});
}

void WriteQueue::MoveBatch(std::vector<Held>& batch) {
  size_t moved = 0;
  while (!held_.empty() && batch.size() < kBatchPieces && moved < kBatchBytes) {
    moved += held_.front().bytes().size();
    batch.push_back(std::move(held_.front()));
    held_.pop_front();
  }
  bytes_ -= moved;
}

void WriteQueue::Drop(size_t bytes) {
  held_.front().gone += bytes;
  bytes_ -= bytes;
  if (held_.front().bytes().empty()) held_.pop_front();
}

void WriteQueue::Clear() {
  held_.clear();
  bytes_ = 0;
}

}  // namespace cistern::net
