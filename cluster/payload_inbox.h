// PayloadInbox: puts large fields that came in chunks back into their frames.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "cluster/peer.pb.h"

namespace cistern::cluster {

// One connection's. Memory grows with the bytes that came.
class PayloadInbox {
 public:
  enum class Status { kWhole, kIncomplete, kMalformed };

  explicit PayloadInbox(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Takes a frame as it came off the wire. kWhole: `frame` holds one to be handled: itself, or the
  // one whose last chunk this was. kMalformed: a chunk of nothing, or more than `max_bytes` at
  // once.
  Status Take(wire::Frame& frame);
  size_t bytes() const { return bytes_; }

 private:
  struct Held {
    wire::Frame frame;
    int missing = 0;
    size_t bytes = 0;  // charged while it waits
  };
  struct Part {
    std::shared_ptr<Held> held;  // shared by the parts that it waits for
    uint32_t index;
    std::string data;
  };

  Status Hold(wire::Frame& frame);
  Status TakeChunk(wire::Frame& frame);

  const size_t max_bytes_;
  size_t bytes_ = 0;                          // of frames that wait, and of what came for them
  std::unordered_map<uint64_t, Part> parts_;  // by payload number
};

}  // namespace cistern::cluster
