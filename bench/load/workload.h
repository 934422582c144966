// Workload: the requests of one run, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/load/dialect.h"

namespace cistern::load {

enum class Work {
  kGet,       // of a uniform random key, as are all but the last two
  kMultiGet,  // of `batch` keys
  kMix,       // one SET in ten, else GET
  kInsert,    // SET of a key that was never there: `first`, first + 1, ... without end
  kFill,      // SET of the keys `first` to `keys`, once each
};

struct WorkloadOptions {
  Work work = Work::kGet;
  std::string protocol = "resp";
  std::string prefix = "key:";
  uint64_t first = 0;
  uint64_t keys = 100'000;
  size_t value_size = 32;
  double sigma = 0;  // of the log-normal sizes of what is filled, with value_size as their median
  size_t batch = 20;
  uint32_t ttl = 0;  // seconds; 0: none
};

// Sizes of a key's value: log-normal around `median`, the same in every run.
size_t LogNormalSize(uint64_t number, double median, double sigma);

// Every reply's size is known when its request is made, so bytes count replies.
class Workload {
 public:
  explicit Workload(const WorkloadOptions& options);

  // Appends the next request to `out` and returns the size of its reply; 0 when all is filled.
  // `reply`, where it is not null, gets the reply itself.
  size_t Next(std::string& out, std::string* reply = nullptr);
  // Of all that was SET so far.
  uint64_t value_bytes() const { return value_bytes_; }

 private:
  size_t Get(std::string& out, std::string* reply);
  size_t MultiGet(std::string& out, std::string* reply);
  size_t Set(uint64_t number, std::string& out, std::string* reply);
  Key RandomKey() { return MakeKey(options_.prefix, random_() % options_.keys); }

  WorkloadOptions options_;
  std::unique_ptr<Dialect> dialect_;
  std::string value_;
  std::vector<Key> batch_;
  size_t get_reply_size_;
  size_t multi_get_reply_size_;
  uint64_t next_;
  uint64_t value_bytes_ = 0;
  std::mt19937_64 random_;
};

}  // namespace cistern::load
