#include "server/config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "server/config/rows.h"

namespace cistern::server {
namespace {

// Levenshtein: letters to add, drop or change.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row.back();
}

const Row* Nearest(std::string_view section, std::string_view key) {
  const Row* best = nullptr;
  size_t best_distance = std::max<size_t>(2, key.size() / 3) + 1;
  for (const Row& row : ConfigRows()) {
    if (row.section() != section) continue;
    const size_t distance = Distance(key, row.key());
    if (distance < best_distance) {
      best = &row;
      best_distance = distance;
    }
  }
  return best;
}

const Row* SameKeyElsewhere(std::string_view key) {
  for (const Row& row : ConfigRows()) {
    if (!row.section().empty() && row.key() == key) return &row;
  }
  return nullptr;
}

std::string Heading(std::string_view section) {
  const Row* row = FindRow(section);
  if (row != nullptr && row->is_list_of_tables()) return fmt::format("[[{}]]", section);
  return fmt::format("[{}]", section);
}

}  // namespace

std::string SuggestFor(std::string_view section, std::string_view key) {
  constexpr size_t kLongestKey = 64;  // a longer one is no slip of the fingers
  if (key.size() <= kLongestKey) {
    if (const Row* row = Nearest(section, key))
      return fmt::format("did you mean '{}'?", row->key());
    if (const Row* row = SameKeyElsewhere(key)) {
      return fmt::format("it belongs to {}", Heading(row->section()));
    }
  }
  return "remove it, or see 'cistern help-config' for what there is";
}

}  // namespace cistern::server
