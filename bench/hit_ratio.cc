// hit_ratio: replays recorded requests against the eviction policies; one line a trace, size and
// policy, then how they compare to LRU. docs/eviction.md has its results.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "bench/replay/replay.h"

namespace cistern::bench {
namespace {

// Of fewer objects nothing is learnt.
constexpr uint64_t kFewestObjects = 10;

struct Arguments {
  std::vector<std::string> traces;
  std::vector<std::string> policies;
  std::vector<double> parts{0.001, 0.01, 0.1};
  std::vector<uint64_t> capacities;
  bool in_bytes = false;
  size_t shards = 1;
};

// Misses by trace and policy, at one capacity.
using Column = std::map<std::string, std::map<std::string, uint64_t>>;

class Report {
 public:
  explicit Report(const Arguments& arguments) : arguments_(arguments) {
    fmt::print(
        "trace\tsha256\trequests\tobjects\tfootprint_bytes\trequest_bytes\tmode\tshards\tsize\t"
        "capacity\tpolicy\tn_miss\tomr\tmiss_bytes\tbmr\tmax_resident\tevictions\tghost_hits\t"
        "promotions\treinsertions\tns_per_request\n");
  }

  void Run(const Trace& trace) {
    const std::string facts = fmt::format(
        "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", trace.name, trace.Sha256(), trace.requests.size(),
        trace.sizes.size(), trace.Footprint(), trace.RequestBytes(),
        arguments_.in_bytes ? "bytes" : "objects", arguments_.shards);
    const uint64_t whole = arguments_.in_bytes ? trace.Footprint() : trace.sizes.size();
    for (const double part : arguments_.parts) {
      Run(trace, facts, fmt::format("{}", part),
          static_cast<uint64_t>(part * static_cast<double>(whole)));
    }
    for (const uint64_t capacity : arguments_.capacities)
      Run(trace, facts, "absolute", capacity);
  }

  // The change of misses against LRU, each trace counting the same.
  void PrintSummary() const {
    if (std::ranges::find(arguments_.policies, "lru") == arguments_.policies.end()) return;
    fmt::print("\n# misses against lru: mean and worst of the traces\n");
    for (const auto& [size, column] : columns_) {
      for (const std::string& policy : arguments_.policies)
        PrintAgainstLru(size, column, policy);
    }
  }

 private:
  void Run(const Trace& trace, const std::string& facts, const std::string& size,
           uint64_t capacity) {
    const uint64_t mean =
        arguments_.in_bytes ? trace.Footprint() / std::max<size_t>(1, trace.sizes.size()) : 1;
    if (capacity < kFewestObjects * mean) return;
    for (const std::string& policy : arguments_.policies) {
      const ReplayResult result =
          Replay(trace, {policy, arguments_.in_bytes, capacity, arguments_.shards});
      fmt::print("{}\t{}\t{}\t{}\t{}\t{:.4f}\t{}\t{:.4f}\t{}\t{}\t{}\t{}\t{}\t{:.0f}\n", facts,
                 size, capacity, policy, result.misses, result.MissRatio(), result.miss_bytes,
                 result.ByteMissRatio(), result.most_resident, result.evictions,
                 result.counts.ghost_hits, result.counts.promotions, result.counts.reinsertions,
                 result.seconds * 1e9 / static_cast<double>(result.requests));
      std::fflush(stdout);
      columns_[size][trace.name][policy] = result.misses;
    }
  }

  static void PrintAgainstLru(const std::string& size, const Column& column,
                              const std::string& policy) {
    double sum = 0;
    double worst = -1;
    for (const auto& [trace, misses] : column) {
      const double change =
          static_cast<double>(misses.at(policy)) / static_cast<double>(misses.at("lru")) - 1;
      sum += change;
      worst = std::max(worst, change);
    }
    fmt::print("# {} {:>10}: {:+.2f} % (worst {:+.2f} %) of {} traces\n", size, policy,
               sum * 100 / static_cast<double>(column.size()), worst * 100, column.size());
  }

  const Arguments& arguments_;
  std::map<std::string, Column> columns_;  // by size
};

int Run(const Arguments& arguments) {
  Report report(arguments);
  for (const std::string& path : arguments.traces) {
    const auto format = GuessFormat(path);
    const TraceResult trace = format ? ReadTrace(path, *format) : tl::unexpected(format.error());
    if (!trace) {
      fmt::print(stderr, "hit_ratio: {}\n", trace.error());
      return 1;
    }
    report.Run(*trace);
  }
  report.PrintSummary();
  return 0;
}

}  // namespace
}  // namespace cistern::bench

int main(int argc, char** argv) {
  namespace bench = cistern::bench;
  bench::Arguments arguments;
  const auto all = bench::ReplayPolicies();
  arguments.policies.assign(all.begin(), all.end());
  CLI::App app("Replays recorded requests against the eviction policies.");
  app.add_option("trace", arguments.traces,
                 "Files, their format told by their names: *oracleGeneral*, *.lis*, cache2k*, "
                 "scarab*, lirs*; packed ones too.")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--policies", arguments.policies, "Some of all policies.")
      ->delimiter(',')
      ->check(CLI::IsMember(arguments.policies));
  app.add_option("--parts", arguments.parts, "Sizes of the cache, as parts of the footprint.")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--capacities", arguments.capacities, "Sizes of the cache, absolute.")
      ->delimiter(',');
  app.add_flag("--bytes", arguments.in_bytes, "Objects weigh their sizes, and not 1 each.");
  app.add_option("--shards", arguments.shards,
                 "Parts that the keys are split into, as in the server: the room is common.")
      ->check(CLI::Range(1, 4096));
  CLI11_PARSE(app, argc, argv);
  return bench::Run(arguments);
}
