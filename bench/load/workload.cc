#include "bench/load/workload.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cistern::load {
namespace {

constexpr size_t kLargestValue = 1 << 20;

// In (0, 1), by splitmix64.
double Uniform(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
}

}  // namespace

size_t LogNormalSize(uint64_t number, double median, double sigma) {
  uint64_t state = number;
  const double radius = std::sqrt(-2 * std::log(Uniform(state)));
  const double normal = radius * std::cos(2 * std::numbers::pi * Uniform(state));
  const auto size = static_cast<size_t>(median * std::exp(sigma * normal));
  return std::clamp<size_t>(size, 1, kLargestValue);
}

Workload::Workload(const WorkloadOptions& options)
    : options_(options),
      dialect_(MakeDialect(options.protocol)),
      value_(options.sigma > 0 ? kLargestValue : options.value_size, 'v'),
      batch_(options.batch),
      next_(options.first),
      random_(20261121 + options.first) {
  get_reply_size_ = dialect_->GetReply({}, value_).size();
  multi_get_reply_size_ = dialect_->MultiGetReply(batch_, value_).size();
}

size_t Workload::Next(std::string& out, std::string* reply) {
  switch (options_.work) {
    case Work::kGet:
      return Get(out, reply);
    case Work::kMultiGet:
      return MultiGet(out, reply);
    case Work::kMix:
      return random_() % 10 == 0 ? Set(random_() % options_.keys, out, reply) : Get(out, reply);
    case Work::kInsert:
      return Set(next_++, out, reply);
    case Work::kFill:
      return next_ < options_.keys ? Set(next_++, out, reply) : 0;
  }
  return 0;
}

size_t Workload::Get(std::string& out, std::string* reply) {
  const Key key = RandomKey();
  dialect_->AppendGet(key, out);
  if (reply != nullptr) *reply += dialect_->GetReply(key, value_);
  return get_reply_size_;
}

size_t Workload::MultiGet(std::string& out, std::string* reply) {
  for (Key& key : batch_)
    key = RandomKey();
  dialect_->AppendMultiGet(batch_, out);
  if (reply != nullptr) *reply += dialect_->MultiGetReply(batch_, value_);
  return multi_get_reply_size_;
}

size_t Workload::Set(uint64_t number, std::string& out, std::string* reply) {
  std::string_view value = value_;
  if (options_.sigma > 0)
    value = value.substr(
        0, LogNormalSize(number, static_cast<double>(options_.value_size), options_.sigma));
  dialect_->AppendSet(MakeKey(options_.prefix, number), value, options_.ttl, out);
  value_bytes_ += value.size();
  if (reply != nullptr) *reply += dialect_->SetReply();
  return dialect_->SetReply().size();
}

}  // namespace cistern::load
