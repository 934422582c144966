// Output: replies on their way to a client: text, and large values that are written from where they
// lie.
#pragma once

#include <string>
#include <vector>

#include "cache/blob.h"
#include "net/stream.h"
#include "resp/reply_writer.h"

namespace cistern::server {

// Belongs to one worker's thread.
class Output {
 public:
  // Values above this are pinned instead of copied: from about 4 KiB on a copy costs more than a
  // second piece in the write.
  static constexpr size_t kPinAbove = 4096;

  // How much there was at a moment.
  struct Mark {
    size_t text = 0;
    size_t pins = 0;
    size_t pinned_bytes = 0;

    size_t bytes() const { return text + pinned_bytes; }
  };

  Output() = default;
  Output(Output&&) = default;
  Output& operator=(Output&&) = default;

  // Everything but the pinned values, in order.
  std::string& text() { return text_; }
  // `blob`'s bytes come after what `text` holds now.
  void Pin(cache::BlobPtr blob);
  // Moves what `other` holds behind this, and leaves it empty.
  void Append(Output& other);

  Mark mark() const { return {text_.size(), pinned_.size(), pinned_bytes_}; }
  // Drops what has come since.
  void CutTo(const Mark& mark);

  // All that is to be written, pinned values included.
  size_t bytes() const { return text_.size() + pinned_bytes_; }
  size_t pinned_bytes() const { return pinned_bytes_; }
  bool empty() const { return bytes() == 0; }

  // Writes it all at once and is empty then; the memory of the text is kept for the next replies.
  void WriteTo(net::Stream& stream);
  // Gives back the text's memory where it is more than `keep_bytes` and not needed.
  void GiveBack(size_t keep_bytes);

 private:
  struct Pinned {
    size_t at;  // in text_
    cache::BlobPtr blob;
  };

  std::string text_;
  std::vector<Pinned> pinned_;
  size_t pinned_bytes_ = 0;
};

// The writer that commands use: a ReplyWriter that can also pin.
class Reply : public resp::ReplyWriter {
 public:
  Reply(Output& to, resp::Protocol protocol) : ReplyWriter(to.text(), protocol), to_(&to) {}

  using ReplyWriter::Bulk;
  // Copied when small, else pinned until the client has taken it.
  void Bulk(const cache::Blob& blob);

 private:
  Output* to_;
};

}  // namespace cistern::server
