#include "bench/load/options.h"

#include <map>
#include <string>

namespace cistern::load {

void AddOptions(CLI::App& app, Target& target) {
  const std::map<std::string, Work> works = {{"get", Work::kGet},
                                             {"mget", Work::kMultiGet},
                                             {"mix", Work::kMix},
                                             {"insert", Work::kInsert},
                                             {"fill", Work::kFill}};
  WorkloadOptions& workload = target.workload;
  app.add_option("--port", target.port, "of the server, on 127.0.0.1")->required();
  app.add_option("--connections", target.connections)
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--protocol", workload.protocol)
      ->check(CLI::IsMember({"resp", "memcached", "memcached-meta"}))
      ->capture_default_str();
  app.add_option("--work", workload.work)->transform(CLI::CheckedTransformer(works));
  app.add_option("--prefix", workload.prefix, "four characters that all keys begin with")
      ->check([](const std::string& text) {
        return text.size() == kKeyPrefix ? std::string() : std::string("needs four characters");
      })
      ->capture_default_str();
  app.add_option("--first", workload.first, "first key of insert and fill")->capture_default_str();
  app.add_option("--keys", workload.keys)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--value-size", workload.value_size)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--sigma", workload.sigma, "of log-normal sizes of what is filled")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--batch", workload.batch, "keys of one mget")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--ttl", workload.ttl, "of what is SET, in seconds; 0 is none");
}

}  // namespace cistern::load
