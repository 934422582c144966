// blast: keeps many connections of a server busy and counts what comes back.
//
//   blast --port N [--work get|mget|mix|insert|fill] [--pipeline 16] [--pid N ...] ...
//
// Each connection sends so many requests at once, and the next ones when all are answered. Replies'
// sizes are known beforehand, so bytes count replies; each connection's first replies are compared
// whole. Prints one line of JSON: operations, seconds, bytes of the values SET, CPU time of the
// processes --pid in the same window, and how busy blast itself was.

#include <fmt/format.h>

#include "bench/load/clocks.h"
#include "bench/load/connection.h"
#include "bench/load/options.h"

namespace cistern::load {
namespace {

struct Options {
  Target target;
  size_t pipeline = 16;
  double seconds = 1;
  double warmup = 0.2;
  std::vector<int> pids;
};

class Blast {
 public:
  explicit Blast(const Options& options)
      : options_(options),
        workload_(options.target.workload),
        connections_(options.target.port, options.target.connections),
        batches_(connections_.size()) {}

  void Run() {
    for (size_t i = 0; i < connections_.size(); ++i)
      Refill(i);
    const bool fill = options_.target.workload.work == Work::kFill;
    if (!fill) RunFor(options_.warmup);
    const uint64_t own = OwnCpuNanoseconds();
    const uint64_t server = CpuNanoseconds(options_.pids);
    const uint64_t begin = MonotonicNanoseconds();
    const uint64_t operations = fill ? RunUntil(UINT64_MAX) : RunFor(options_.seconds);
    const uint64_t elapsed = MonotonicNanoseconds() - begin;
    fmt::print(
        R"({{"operations": {}, "seconds": {:.6f}, "value_bytes": {}, "server_cpu_ns": {}, "busy": {:.3f}}})"
        "\n",
        operations, static_cast<double>(elapsed) * 1e-9, workload_.value_bytes(),
        CpuNanoseconds(options_.pids) - server,
        static_cast<double>(OwnCpuNanoseconds() - own) / static_cast<double>(elapsed));
  }

 private:
  // What a connection has asked for and not been answered.
  struct Batch {
    size_t requests = 0;
    size_t bytes = 0;  // of its replies that have not come
    std::string first_replies;
    size_t compared = 0;
    bool is_first = true;
  };

  void Refill(size_t i) {
    Batch& batch = batches_[i];
    std::string* replies = batch.is_first ? &batch.first_replies : nullptr;
    request_.clear();
    batch.requests = 0;
    while (batch.requests < options_.pipeline) {
      const size_t bytes = workload_.Next(request_, replies);
      if (bytes == 0) break;
      batch.bytes += bytes;
      ++batch.requests;
    }
    if (batch.requests == 0) return;
    ++busy_;
    connections_[i].Send(request_);
  }

  // How many requests that answered.
  size_t Take(size_t i) {
    Batch& batch = batches_[i];
    const std::string_view data = connections_[i].Read();
    if (batch.is_first) Compare(batch, data);
    if (data.size() > batch.bytes) Fail("a reply is longer than it can be");
    batch.bytes -= data.size();
    if (batch.bytes > 0) return 0;
    batch.is_first = false;
    --busy_;
    const size_t answered = batch.requests;
    Refill(i);
    return answered;
  }

  static void Compare(Batch& batch, std::string_view data) {
    if (batch.first_replies.compare(batch.compared, data.size(), data) != 0)
      Fail(fmt::format("unexpected reply: {:.100}", data));
    batch.compared += data.size();
  }

  uint64_t RunFor(double seconds) {
    return RunUntil(MonotonicNanoseconds() + static_cast<uint64_t>(seconds * 1e9));
  }

  // Also until there is nothing left to fill, and in any case until something was answered, however
  // slow the machine. Returns the requests answered.
  uint64_t RunUntil(uint64_t end) {
    uint64_t answered = 0;
    while (busy_ > 0 && (answered == 0 || MonotonicNanoseconds() < end)) {
      const auto ready = connections_.Wait(60'000);
      if (ready.empty()) Fail("nothing came for a minute: the server stalls, or keys are absent");
      for (const size_t i : ready)
        answered += Take(i);
    }
    return answered;
  }

  Options options_;
  Workload workload_;
  ConnectionSet connections_;
  std::vector<Batch> batches_;  // by connection
  std::string request_;
  size_t busy_ = 0;  // connections that wait for replies
};

}  // namespace
}  // namespace cistern::load

int main(int argc, char** argv) {
  cistern::load::Options options;
  CLI::App app("Keeps many connections of a server busy and counts what comes back.");
  AddOptions(app, options.target);
  app.add_option("--pipeline", options.pipeline, "requests sent at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--warmup", options.warmup)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--pid", options.pids, "processes whose CPU time is summed");
  CLI11_PARSE(app, argc, argv);
  cistern::load::Blast(options).Run();
}
