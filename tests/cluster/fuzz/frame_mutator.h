// Sequences of frames, changed as messages: any field of any of them, by protobuf's reflection.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/peer.pb.h"

namespace cistern::cluster {

struct FrameSequence {
  std::vector<wire::Frame> frames;
  bool is_whole = false;  // there is nothing else
};
FrameSequence ReadFrames(std::string_view bytes);
std::string WriteFrames(const std::vector<wire::Frame>& frames);

class FrameMutator {
 public:
  explicit FrameMutator(uint32_t seed) : random_(seed) {}
  void Change(std::vector<wire::Frame>& frames);

 private:
  size_t Below(size_t end) { return random_() % end; }
  void ChangeMessage(google::protobuf::Message& message);
  void ChangeRepeated(google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field);
  void ChangeScalar(google::protobuf::Message& message,
                    const google::protobuf::FieldDescriptor& field);
  uint64_t AnyNumber();
  std::string AnyBytes();
  int AnyEnum(const google::protobuf::FieldDescriptor& field);

  std::minstd_rand random_;
};

}  // namespace cistern::cluster
