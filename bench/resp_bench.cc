// What parsing a request and writing a reply cost, without sockets.
#include <benchmark/benchmark.h>

#include <string>

#include "resp/reply_writer.h"
#include "resp/request_parser.h"

namespace {

using cistern::resp::Protocol;
using cistern::resp::ReplyWriter;
using cistern::resp::RequestParser;

constexpr int kPipeline = 64;

void ParsePipeline(benchmark::State& state, const std::string& request, size_t piece) {
  std::string input;
  for (int i = 0; i < kPipeline; ++i)
    input += request;
  RequestParser parser;
  for (auto _ : state) {
    size_t begin = 0;
    for (size_t end = std::min(piece, input.size()); begin < input.size();
         end = std::min(end + piece, input.size())) {
      std::string_view rest(input.data() + begin, end - begin);
      while (parser.Parse(rest) == RequestParser::Status::kRequest) {
        benchmark::DoNotOptimize(parser.args().data());
        rest.remove_prefix(parser.consumed());
        begin += parser.consumed();
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}

const std::string kGet = "*2\r\n$3\r\nGET\r\n$10\r\ncountry:FR\r\n";
const std::string kSet =
    "*3\r\n$3\r\nSET\r\n$7\r\nuser:42\r\n$32\r\n" + std::string(32, 'v') + "\r\n";

void ParseGet(benchmark::State& state) {
  ParsePipeline(state, kGet, SIZE_MAX / 2);
}
BENCHMARK(ParseGet);

void ParseSet(benchmark::State& state) {
  ParsePipeline(state, kSet, SIZE_MAX / 2);
}
BENCHMARK(ParseSet);

// Each request comes in two reads.
void ParseGetInPieces(benchmark::State& state) {
  ParsePipeline(state, kGet, kGet.size() / 2);
}
BENCHMARK(ParseGetInPieces);

void ParseMget100(benchmark::State& state) {
  std::string request = "*101\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 100; ++i)
    request += "$10\r\ncountry:FR\r\n";
  ParsePipeline(state, request, SIZE_MAX / 2);
}
BENCHMARK(ParseMget100);

void ParseInline(benchmark::State& state) {
  ParsePipeline(state, "GET country:FR\r\n", SIZE_MAX / 2);
}
BENCHMARK(ParseInline);

void WriteBulk(benchmark::State& state) {
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  std::string output;
  ReplyWriter writer(output, Protocol::kResp2);
  for (auto _ : state) {
    output.clear();
    for (int i = 0; i < kPipeline; ++i)
      writer.Bulk(value);
    benchmark::DoNotOptimize(output.data());
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}
BENCHMARK(WriteBulk)->Arg(32)->Arg(200)->Arg(1024);

}  // namespace
