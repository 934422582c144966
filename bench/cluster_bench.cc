// What finding a key's owner costs, computing a table of owners, and frames between nodes.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "cluster/frame_codec.h"
#include "cluster/get_codec.h"
#include "cluster/peer.pb.h"
#include "cluster/placement.h"

namespace {

using namespace cistern::cluster;

std::vector<Member> Members(int64_t count) {
  std::vector<Member> members;
  for (int64_t i = 0; i < count; ++i)
    members.push_back({.name = "node-" + std::to_string(i), .peer = "", .client = ""});
  return members;
}

void ComputePlacement(benchmark::State& state) {
  const std::vector<Member> members = Members(state.range(0));
  for (auto _ : state) {
    const Placement placement(members);
    benchmark::DoNotOptimize(placement.epoch());
  }
}
BENCHMARK(ComputePlacement)
    ->ArgName("nodes")
    ->Arg(3)
    ->Arg(10)
    ->Arg(100)
    ->Unit(benchmark::kMillisecond);

void OwnerOfKey(benchmark::State& state) {
  const Placement placement(Members(10));
  std::vector<std::string> keys;
  for (int i = 0; i < 1024; ++i)
    keys.push_back("user:" + std::to_string(1'000'000'000 + i) + "x");
  size_t at = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(placement.owner(SlotOf(keys[at++ % keys.size()])));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(OwnerOfKey);

// A GET of so many keys that one turn of the loop has for one peer.
wire::Frame GetFrame(int64_t items) {
  wire::Frame frame;
  frame.set_id(1234567);
  frame.set_epoch(0xfedcba9876543210);
  for (int64_t i = 0; i < items; ++i) {
    wire::GetItem* item = frame.mutable_get()->add_items();
    item->set_key("key:000000000000");
    item->set_group("users");
    item->set_left_ms(5000);
  }
  return frame;
}

wire::Frame GetReplyFrame(int64_t items, size_t value_bytes) {
  wire::Frame frame;
  frame.set_id(1234567);
  frame.set_epoch(0xfedcba9876543210);
  for (int64_t i = 0; i < items; ++i) {
    wire::GetResult* item = frame.mutable_get_reply()->add_items();
    item->set_index(static_cast<uint32_t>(i));
    item->set_outcome(wire::OUTCOME_FOUND);
    item->set_value(std::string(value_bytes, 'v'));
    item->set_ttl_us(600'000'000);
  }
  return frame;
}

void Encode(benchmark::State& state, const wire::Frame& frame) {
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    AppendFrame(frame, bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void Decode(benchmark::State& state, const wire::Frame& frame) {
  std::string bytes;
  AppendFrame(frame, bytes);
  FrameDecoder decoder;
  wire::Frame decoded;
  for (auto _ : state) {
    decoder.Append(bytes);
    if (decoder.Next(decoded) != FrameDecoder::Status::kFrame) state.SkipWithError("no frame");
    benchmark::DoNotOptimize(decoded.id());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void EncodeGet(benchmark::State& state) {
  Encode(state, GetFrame(state.range(0)));
}
BENCHMARK(EncodeGet)->ArgName("items")->Arg(1)->Arg(16);

void DecodeGet(benchmark::State& state) {
  Decode(state, GetFrame(state.range(0)));
}
BENCHMARK(DecodeGet)->ArgName("items")->Arg(1)->Arg(16);

void EncodeGetReply(benchmark::State& state) {
  Encode(state, GetReplyFrame(state.range(0), static_cast<size_t>(state.range(1))));
}
BENCHMARK(EncodeGetReply)->ArgNames({"items", "value bytes"})->ArgsProduct({{1, 16}, {32, 1024}});

void DecodeGetReply(benchmark::State& state) {
  Decode(state, GetReplyFrame(state.range(0), static_cast<size_t>(state.range(1))));
}
BENCHMARK(DecodeGetReply)->ArgNames({"items", "value bytes"})->ArgsProduct({{1, 16}, {32, 1024}});

// The same frames as links write and read them: in place.
void WriteGetInPlace(benchmark::State& state) {
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    GetFrameWriter frame(bytes, GetFrameWriter::Body::kGet, 1234567, 0xfedcba9876543210);
    for (int64_t i = 0; i < state.range(0); ++i)
      frame.Add(GetItemView{.key = "key:000000000000", .left_ms = 5000});
    frame.Close();
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(WriteGetInPlace)->ArgName("items")->Arg(1)->Arg(16);

void WriteGetReplyInPlace(benchmark::State& state) {
  const std::string value(static_cast<size_t>(state.range(1)), 'v');
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    GetFrameWriter frame(bytes, GetFrameWriter::Body::kGetReply, 1234567, 0xfedcba9876543210);
    GetResultView item;
    item.outcome = wire::OUTCOME_FOUND;
    item.value = value;
    item.ttl_us = 600'000'000;
    for (item.index = 0; item.index < state.range(0); ++item.index)
      frame.Add(item);
    frame.Close();
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(WriteGetReplyInPlace)
    ->ArgNames({"items", "value bytes"})
    ->ArgsProduct({{1, 16}, {32, 1024}});

void ReadInPlace(benchmark::State& state, const wire::Frame& frame) {
  const std::string bytes = frame.SerializeAsString();
  GetFrameView view;
  for (auto _ : state) {
    if (!ReadGetFrame(bytes, view)) state.SkipWithError("no frame");
    benchmark::DoNotOptimize(view.id);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void ReadGetInPlace(benchmark::State& state) {
  ReadInPlace(state, GetFrame(state.range(0)));
}
BENCHMARK(ReadGetInPlace)->ArgName("items")->Arg(1)->Arg(16);

void ReadGetReplyInPlace(benchmark::State& state) {
  ReadInPlace(state, GetReplyFrame(state.range(0), static_cast<size_t>(state.range(1))));
}
BENCHMARK(ReadGetReplyInPlace)
    ->ArgNames({"items", "value bytes"})
    ->ArgsProduct({{1, 16}, {32, 1024}});

}  // namespace
