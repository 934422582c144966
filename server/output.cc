#include "server/output.h"

#include <utility>

namespace cistern::server {
namespace {

net::Owner OwnerOf(cache::BlobPtr blob) {
  const auto let_go = [](const void* held) {
    cache::BlobPtr::Adopt(static_cast<const cache::Blob*>(held));
  };
  return {blob.Release(), net::LetGo{let_go}};
}

}  // namespace

void Output::Pin(cache::BlobPtr blob) {
  pinned_bytes_ += blob->bytes().size();
  pinned_.push_back({text_.size(), std::move(blob)});
}

void Output::Append(Output& other) {
  for (Pinned& pinned : other.pinned_)
    pinned_.push_back({text_.size() + pinned.at, std::move(pinned.blob)});
  text_ += other.text_;
  pinned_bytes_ += std::exchange(other.pinned_bytes_, 0);
  other.pinned_.clear();
  other.text_.clear();
}

void Output::CutTo(const Mark& mark) {
  text_.resize(mark.text);
  pinned_.resize(mark.pins);
  pinned_bytes_ = mark.pinned_bytes;
}

void Output::WriteTo(net::Stream& stream) {
  if (pinned_.empty()) {
    if (!text_.empty()) stream.Write(text_);
  } else {
    std::vector<net::Piece> pieces;
    pieces.reserve(2 * pinned_.size() + 1);
    const std::string_view text = text_;
    size_t at = 0;
    for (Pinned& pinned : pinned_) {
      if (pinned.at > at) pieces.push_back({text.substr(at, pinned.at - at), nullptr});
      const std::string_view bytes = pinned.blob->bytes();
      pieces.push_back({bytes, OwnerOf(std::move(pinned.blob))});
      at = pinned.at;
    }
    if (text.size() > at) pieces.push_back({text.substr(at), nullptr});
    stream.Write(pieces);
  }
  text_.clear();
  pinned_.clear();
  pinned_bytes_ = 0;
}

void Output::GiveBack(size_t keep_bytes) {
  if (text_.capacity() > keep_bytes && text_.size() <= keep_bytes) text_.shrink_to_fit();
}

void Reply::Bulk(const cache::Blob& blob) {
  const std::string_view bytes = blob.bytes();
  if (bytes.size() <= Output::kPinAbove) {
    ReplyWriter::Bulk(bytes);
    return;
  }
  BulkHeader(bytes.size());
  to_->Pin(cache::BlobPtr(&blob));
  BulkTail();
}

}  // namespace cistern::server
