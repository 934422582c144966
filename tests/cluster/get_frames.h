// Frames of gets, read in place and by the generated classes: do both mean the same?
#pragma once

#include <google/protobuf/util/message_differencer.h>

#include "cluster/get_codec.h"

namespace cistern::cluster {

using Body = GetFrameWriter::Body;

// The fields that views have, as a message.
inline wire::Frame AsMessage(const GetFrameView& view) {
  wire::Frame frame;
  frame.set_id(view.id);
  frame.set_epoch(view.epoch);
  if (view.body == Body::kGet) frame.mutable_get();
  if (view.body == Body::kGetReply) frame.mutable_get_reply();
  for (const GetItemView& from : view.gets) {
    wire::GetItem& item = *frame.mutable_get()->add_items();
    item.set_key(std::string(from.key));
    item.set_left_ms(from.left_ms);
    item.set_wish(from.wish);
    item.set_mode(from.mode);
  }
  for (const GetResultView& from : view.results) {
    wire::GetResult& item = *frame.mutable_get_reply()->add_items();
    item.set_index(from.index);
    item.set_outcome(from.outcome);
    item.set_value(std::string(from.value));
    item.set_type(from.type);
    item.set_ttl_us(from.ttl_us);
    item.set_lease_us(from.lease_us);
    item.set_sequence(from.sequence);
    item.set_version(std::string(from.version));
    item.set_source(from.source);
    item.mutable_error()->set_code(from.error);
    item.mutable_error()->set_text(std::string(from.error_text));
  }
  return frame;
}

// What a view has not, gone; what it always has, there.
inline void Normalize(wire::Frame& frame) {
  const auto forget = [](auto& message) { message.DiscardUnknownFields(); };
  forget(frame);
  if (frame.has_get()) {
    frame.mutable_get()->clear_hops_left();
    for (wire::GetItem& item : *frame.mutable_get()->mutable_items()) {
      item.clear_group();
      item.clear_if_version();
    }
  }
  if (frame.has_get_reply()) {
    for (wire::GetResult& item : *frame.mutable_get_reply()->mutable_items()) {
      item.clear_hard_ttl_us();
      item.clear_stale();
      item.clear_age_us();
      item.mutable_error();
    }
  }
}

inline bool MeansTheSame(const GetFrameView& view, wire::Frame frame) {
  Normalize(frame);
  return google::protobuf::util::MessageDifferencer::Equals(AsMessage(view), frame);
}

}  // namespace cistern::cluster
