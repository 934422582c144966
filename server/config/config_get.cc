#include "server/config/config_get.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "server/config/glob.h"
#include "server/config/value.h"

namespace cistern::server {
namespace {

// What clients ask a Redis for that cistern has no row for, and what is true of it.
constexpr auto kRedisFacts = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"databases", "1"},
    {"save", ""},
    {"appendonly", "no"},
});

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Bytes and whole seconds, without units. A part of a second counts as one: 0 means never.
std::string RedisValue(const Row& row, const Target& target) {
  if (row.field.type == RowType::kSize) {
    return std::to_string(std::get<Ref<uint64_t>>(row.field.access)(target));
  }
  if (row.field.type == RowType::kDuration) {
    const Duration value = std::get<Ref<Duration>>(row.field.access)(target);
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(value).count());
  }
  return FormatValue(row, target);
}

class Answer {
 public:
  explicit Answer(std::string_view pattern) : pattern_(Lower(pattern)) {}

  void AddRows(const Row* list, const std::string& name, const Target& target) {
    for (const Row& row : ConfigRows()) {
      if (EnclosingList(row) != list) continue;
      const std::string_view rest = row.name.substr(list == nullptr ? 0 : list->name.size());
      if (row.is_list_of_tables()) {
        AddElements(row, target);
      } else if (!row.is_table()) {
        Add(name + std::string(rest), FormatValue(row, target));
      }
    }
  }

  void AddRedisNames(const Target& target) {
    for (const Row& row : ConfigRows()) {
      if (!row.redis_name.empty()) Add(std::string(row.redis_name), RedisValue(row, target));
    }
    for (const auto& [name, value] : kRedisFacts)
      Add(std::string(name), std::string(value));
  }

  std::vector<std::pair<std::string, std::string>> Take() { return std::move(pairs_); }

 private:
  void AddElements(const Row& row, const Target& target) {
    const auto& list = std::get<TablesRef>(row.field.access);
    for (size_t i = 0; i < list.count(target); ++i) {
      const Target element = list.at(target, i);
      AddRows(&row, std::string(row.name) + "." + std::string(list.name(element)), element);
    }
  }

  void Add(std::string name, std::string value) {
    if (GlobMatch(pattern_, Lower(name))) pairs_.emplace_back(std::move(name), std::move(value));
  }

  const std::string pattern_;
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> ConfigGet(const Config& config,
                                                           std::string_view pattern) {
  Config copy = config;  // the table's references can be written through
  Target target;
  target.config = &copy;
  Answer answer(pattern);
  answer.AddRows(nullptr, "", target);
  answer.AddRedisNames(target);
  return answer.Take();
}

}  // namespace cistern::server
