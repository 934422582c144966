// pace: sends requests at planned times, whatever the server does, and tells how long each took.
//
//   pace --port N --rate 20000 [--connections 50] [--seconds 5] ...
//
// An open loop: request i is due at i / rate and sent then, also where earlier ones of its
// connection have not been answered, and its latency counts from when it was due. So what a stalled
// server keeps waiting is counted, not left out. With --rate 0 the loop is closed: each connection
// sends its next request when the last one was answered. pace spins: a generator that sleeps wakes
// up late and would measure itself.
//
// Prints one line of JSON: requests answered, seconds, quantiles in nanoseconds, CPU time of the
// processes --pid.

#include <fmt/format.h>

#include <deque>

#include "bench/load/clocks.h"
#include "bench/load/connection.h"
#include "bench/load/histogram.h"
#include "bench/load/options.h"

namespace cistern::load {
namespace {

struct Options {
  Target target;
  double rate = 0;
  double seconds = 5;
  double warmup = 0.5;
  std::vector<int> pids;
};

class Pace {
 public:
  explicit Pace(const Options& options)
      : options_(options),
        workload_(options.target.workload),
        connections_(options.target.port, options.target.connections),
        waiting_(connections_.size()) {}

  void Run() {
    begin_ = MonotonicNanoseconds();
    measured_from_ = begin_ + Nanoseconds(options_.warmup);
    const uint64_t end = measured_from_ + Nanoseconds(options_.seconds);
    if (options_.rate == 0) SendToAll();
    SpinUntil(measured_from_);
    const uint64_t server = CpuNanoseconds(options_.pids);
    SpinUntil(end);
    const uint64_t server_cpu = CpuNanoseconds(options_.pids) - server;
    if (options_.rate > 0) SendWhatIsDue(end);  // also where pace itself was held up to the end
    sending_ = false;
    AwaitTheRest();
    Print(server_cpu);
  }

 private:
  struct Request {
    uint64_t due;  // when it should leave
    size_t bytes;  // of its reply that have not come
  };

  static uint64_t Nanoseconds(double seconds) { return static_cast<uint64_t>(seconds * 1e9); }

  void SendToAll() {
    for (size_t i = 0; i < connections_.size(); ++i)
      Send(i, MonotonicNanoseconds());
  }

  void SpinUntil(uint64_t end) {
    for (uint64_t now = MonotonicNanoseconds(); now < end; now = MonotonicNanoseconds()) {
      if (options_.rate > 0) SendWhatIsDue(now);
      ReceiveWhatIsThere(0);
    }
  }

  void AwaitTheRest() {
    while (unanswered_ > 0) {
      if (!ReceiveWhatIsThere(60'000))
        Fail("nothing came for a minute: the server stalls, or keys are absent");
    }
  }

  void SendWhatIsDue(uint64_t now) {
    for (;;) {
      const uint64_t due =
          begin_ + static_cast<uint64_t>(static_cast<double>(planned_) * 1e9 / options_.rate);
      if (due > now) return;
      Send(planned_++ % connections_.size(), due);
    }
  }

  void Send(size_t i, uint64_t due) {
    request_.clear();
    waiting_[i].push_back({due, workload_.Next(request_)});
    ++unanswered_;
    connections_[i].Send(request_);
  }

  // False if nothing came in time.
  bool ReceiveWhatIsThere(int timeout_ms) {
    const auto ready = connections_.Wait(timeout_ms);
    for (const size_t i : ready)
      Receive(i);
    return !ready.empty();
  }

  void Receive(size_t i) {
    size_t bytes = connections_[i].Read().size();
    const uint64_t now = MonotonicNanoseconds();
    auto& waiting = waiting_[i];
    while (bytes > 0) {
      if (waiting.empty()) Fail("a reply that nobody asked for");
      const size_t part = std::min(bytes, waiting.front().bytes);
      bytes -= part;
      waiting.front().bytes -= part;
      if (waiting.front().bytes > 0) break;
      Note(waiting.front().due, now);
      waiting.pop_front();
    }
    if (options_.rate == 0 && sending_ && waiting.empty()) Send(i, MonotonicNanoseconds());
  }

  void Note(uint64_t due, uint64_t now) {
    --unanswered_;
    if (due >= measured_from_) latencies_.Add(now - due);
  }

  void Print(uint64_t server_cpu) const {
    if (latencies_.count() == 0) Fail("nothing was answered in time");
    fmt::print(
        R"({{"operations": {}, "seconds": {:.6f}, "server_cpu_ns": {}, "p50": {}, "p90": {}, "p99": {}, "p99.9": {}, "p99.99": {}, "max": {}}})"
        "\n",
        latencies_.count(), options_.seconds, server_cpu, latencies_.Quantile(0.5),
        latencies_.Quantile(0.9), latencies_.Quantile(0.99), latencies_.Quantile(0.999),
        latencies_.Quantile(0.9999), latencies_.largest());
  }

  Options options_;
  Workload workload_;
  ConnectionSet connections_;
  std::vector<std::deque<Request>> waiting_;  // by connection
  std::string request_;
  Histogram latencies_;
  uint64_t begin_ = 0;
  uint64_t measured_from_ = 0;
  uint64_t planned_ = 0;
  size_t unanswered_ = 0;
  bool sending_ = true;
};

}  // namespace
}  // namespace cistern::load

int main(int argc, char** argv) {
  cistern::load::Options options;
  CLI::App app("Sends requests at planned times and tells how long each took.");
  AddOptions(app, options.target);
  app.add_option("--rate", options.rate, "requests a second, all connections; 0: a closed loop")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--warmup", options.warmup)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--pid", options.pids, "processes whose CPU time is summed");
  CLI11_PARSE(app, argc, argv);
  cistern::load::Pace(options).Run();
}
