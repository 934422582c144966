#include "tests/cluster/fuzz/frame_mutator.h"

#include <google/protobuf/descriptor.h>

#include "cluster/frame_codec.h"

namespace cistern::cluster {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMostFrames = 32;

}  // namespace

FrameSequence ReadFrames(std::string_view bytes) {
  FrameDecoder decoder;
  decoder.Append(bytes);
  FrameSequence sequence;
  wire::Frame frame;
  while (decoder.Next(frame) == FrameDecoder::Status::kFrame)
    sequence.frames.push_back(frame);
  sequence.is_whole = decoder.buffered() == 0;
  return sequence;
}

std::string WriteFrames(const std::vector<wire::Frame>& frames) {
  std::string bytes;
  for (const wire::Frame& frame : frames)
    AppendFrame(frame, bytes);
  return bytes;
}

void FrameMutator::Change(std::vector<wire::Frame>& frames) {
  const size_t choice = frames.empty() ? 0 : Below(8);
  const size_t at = frames.empty() ? 0 : Below(frames.size());
  if (choice == 0 && frames.size() < kMostFrames) {
    frames.emplace_back();
    ChangeMessage(frames.back());
    ChangeMessage(frames.back());
  } else if (choice == 1) {
    frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(at));
  } else if (choice == 2 && frames.size() < kMostFrames) {
    frames.push_back(wire::Frame(frames[at]));
  } else if (choice == 3) {
    frames[at].Swap(&frames[Below(frames.size())]);
  } else if (!frames.empty()) {
    ChangeMessage(frames[at]);
  }
}

void FrameMutator::ChangeMessage(Message& message) {
  const auto& descriptor = *message.GetDescriptor();
  if (descriptor.field_count() == 0) return;
  const FieldDescriptor& field =
      *descriptor.field(static_cast<int>(Below(static_cast<size_t>(descriptor.field_count()))));
  const Reflection& reflection = *message.GetReflection();
  if (Below(8) == 0) return reflection.ClearField(&message, &field);
  if (field.is_repeated()) return ChangeRepeated(message, field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
    return ChangeMessage(*reflection.MutableMessage(&message, &field));
  ChangeScalar(message, field);
}

void FrameMutator::ChangeRepeated(Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const auto size = static_cast<size_t>(reflection.FieldSize(message, &field));
  if (size > 0 && Below(4) == 0) return reflection.RemoveLast(&message, &field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const bool adds = size == 0 || Below(2) == 0;
    ChangeMessage(
        adds ? *reflection.AddMessage(&message, &field)
             : *reflection.MutableRepeatedMessage(&message, &field, static_cast<int>(Below(size))));
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    reflection.AddString(&message, &field, AnyBytes());
  }
}

void FrameMutator::ChangeScalar(Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(&message, &field, AnyNumber());
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&message, &field, static_cast<int64_t>(AnyNumber()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(&message, &field, static_cast<uint32_t>(AnyNumber()));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, Below(2) == 0);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, AnyEnum(field));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, AnyBytes());
    default:
      return;
  }
}

uint64_t FrameMutator::AnyNumber() {
  constexpr uint64_t kNumbers[] = {0,          1,          2,          3,          4,
                                   5,          1000,       0x7fffffff, 0x80000000, 0xffffffff,
                                   1ULL << 53, 1ULL << 63, UINT64_MAX};
  return Below(8) == 0 ? random_() : kNumbers[Below(std::size(kNumbers))];
}

std::string FrameMutator::AnyBytes() {
  const char* const kWords[] = {"",    "a",  "b",  "k",  "GET",     "SET",
                                "TTL", "NX", "EX", "10", "\xff\r\n"};
  if (Below(10) == 0) return std::string(Below(100), 'n');
  if (Below(200) == 0) return std::string(70'000, 'x');
  return kWords[Below(std::size(kWords))];
}

int FrameMutator::AnyEnum(const FieldDescriptor& field) {
  const auto& type = *field.enum_type();
  if (Below(5) == 0) return static_cast<int>(Below(100));
  return type.value(static_cast<int>(Below(static_cast<size_t>(type.value_count()))))->number();
}

}  // namespace cistern::cluster
