#include "server/config/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "server/config/load.h"
#include "server/config/suggest.h"
#include "server/config/toml.h"
#include "server/config/value.h"

namespace cistern::server {
namespace {

constexpr std::string_view kUnix = "unix:";

SourcePosition At(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

std::string_view Kind(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a real";
    case toml::node_type::boolean:
      return "a bool";
    default:
      return "a date or time";
  }
}

// The scalar as text, if it is of the kind that the row is written in.
std::optional<std::string> ScalarText(const Row& row, const toml::node& node) {
  switch (row.field.type) {
    case RowType::kBool:
      if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
      return std::nullopt;
    case RowType::kReal:
      if (const auto* value = node.as_floating_point()) return fmt::format("{}", value->get());
      [[fallthrough]];  // 0 and 1 are reals, too
    case RowType::kInteger:
      if (const auto* value = node.as_integer()) return std::to_string(value->get());
      return std::nullopt;
    default:
      if (const auto* value = node.as_string()) return value->get();
      return std::nullopt;
  }
}

bool IsList(const Row& row) {
  return row.field.type == RowType::kStringList || row.field.type == RowType::kListenList;
}

// Walks the document once, with the row table in hand.
class Reader {
 public:
  Reader(Reading& reading, std::filesystem::path folder)
      : reading_(reading), folder_(std::move(folder)) {}

  // `section` is the dotted name of the rows, `place` that of the values ("group", "group[1]").
  void ReadTable(const toml::table& table, const std::string& section, const std::string& place,
                 const Target& target) {
    for (const auto& [key, node] : table) {
      const std::string name =
          section.empty() ? std::string(key) : section + "." + std::string(key);
      const Row* row = FindRow(name);
      if (row == nullptr) {
        Refuse(At(key.source()), fmt::format("unknown key '{}'{}; {}", key.str(), In(section),
                                             SuggestFor(section, key)));
        continue;
      }
      ReadRow(*row, node, place.empty() ? std::string(key) : place + "." + std::string(key),
              target);
    }
  }

 private:
  static std::string In(const std::string& section) {
    return section.empty() ? "" : fmt::format(" in '{}'", section);
  }

  void Refuse(SourcePosition position, std::string message) {
    reading_.errors.push_back({{}, position, std::move(message)});
  }

  void RefuseValue(const toml::node& node, const std::string& place, std::string message) {
    reading_.positions.AddBad(place);
    Refuse(At(node.source()), std::move(message));
  }

  void ReadRow(const Row& row, const toml::node& node, const std::string& place,
               const Target& target) {
    reading_.positions.Add(place, At(node.source()));
    if (row.is_list_of_tables()) {
      ReadTables(row, node, place, target);
    } else if (row.is_table()) {
      ReadSection(row, node, place, target);
    } else if (IsList(row)) {
      ReadList(row, node, place, target);
    } else {
      ReadScalar(row, node, place, target);
    }
  }

  void ReadSection(const Row& row, const toml::node& node, const std::string& place,
                   const Target& target) {
    if (const auto* table = node.as_table()) {
      ReadTable(*table, std::string(row.name), place, target);
    } else {
      RefuseValue(node, place, fmt::format("{} is a table; write [{}]", row.name, row.name));
    }
  }

  void ReadTables(const Row& row, const toml::node& node, const std::string& place,
                  const Target& target) {
    const auto* array = node.as_array();
    const bool is_list = array != nullptr && std::ranges::all_of(*array, [](const toml::node& n) {
                           return n.is_table();
                         });
    if (!is_list) {
      RefuseValue(node, place,
                  fmt::format("{} is a list of tables; write [[{}]]", row.name, row.name));
      return;
    }
    if (auto outcome = CheckCount(row, array->size()); !outcome) {
      RefuseValue(node, place, outcome.error());
      return;
    }
    const auto& list = std::get<TablesRef>(row.field.access);
    for (size_t i = 0; i < array->size(); ++i) {
      const toml::node& element = *array->get(i);
      const std::string element_place = ElementPlace(place, i);
      list.add(target);
      const Target element_target = list.at(target, i);
      SetDefaults(&row, element_target);
      reading_.positions.Add(element_place, At(element.source()));
      ReadTable(*element.as_table(), std::string(row.name), element_place, element_target);
    }
  }

  void ReadList(const Row& row, const toml::node& node, const std::string& place,
                const Target& target) {
    const auto* array = node.as_array();
    if (array == nullptr) {
      RefuseValue(node, place,
                  fmt::format("{} must be {}; this is {}", row.name, Wanted(row), Kind(node)));
      return;
    }
    std::vector<std::string> elements;
    for (size_t i = 0; i < array->size(); ++i) {
      const toml::node& element = *array->get(i);
      const std::string element_place = ElementPlace(place, i);
      reading_.positions.Add(element_place, At(element.source()));
      const auto text = ScalarText(row, element);
      if (!text) {
        RefuseValue(element, place,
                    fmt::format("{} holds strings only; this is {}", row.name, Kind(element)));
      } else if (auto outcome = CheckElement(row, *text); !outcome) {
        RefuseValue(element, place, outcome.error());
      } else {
        elements.push_back(Resolve(row, *text));
      }
    }
    if (!reading_.positions.Sound(place)) return;
    if (auto outcome = SetList(row, target, std::move(elements)); !outcome) {
      RefuseValue(node, place, outcome.error());
    }
  }

  void ReadScalar(const Row& row, const toml::node& node, const std::string& place,
                  const Target& target) {
    const auto text = ScalarText(row, node);
    if (!text) {
      RefuseValue(node, place,
                  fmt::format("{} must be {}; this is {}", row.name, Wanted(row), Kind(node)));
      return;
    }
    if (auto outcome = SetValue(row, target, Resolve(row, *text)); !outcome) {
      RefuseValue(node, place, outcome.error());
    }
  }

  // Paths become absolute: relative ones start at the file's folder.
  std::string Resolve(const Row& row, const std::string& text) const {
    if (row.field.type == RowType::kPath && !text.empty()) return Absolute(text);
    const bool is_address =
        row.field.type == RowType::kListenList || row.field.type == RowType::kServer;
    if (is_address && text.starts_with(kUnix)) {
      return std::string(kUnix) + Absolute(text.substr(kUnix.size()));
    }
    return text;
  }

  std::string Absolute(const std::string& path) const {
    return (folder_ / path).lexically_normal().string();
  }

  Reading& reading_;
  const std::filesystem::path folder_;
};

std::filesystem::path FolderOf(const std::string& file_name) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file_name, error);
  return error ? std::filesystem::path("/") : absolute.parent_path();
}

}  // namespace

Reading ReadToml(std::string_view text, const std::string& file_name) {
  Reading reading;
  reading.config = DefaultConfig();
  const toml::parse_result parsed = toml::parse(text);
  if (parsed) {
    Target target;
    target.config = &reading.config;
    Reader(reading, FolderOf(file_name)).ReadTable(parsed.table(), "", "", target);
  } else {
    reading.is_syntax_error = true;
    reading.errors.push_back(
        {{}, At(parsed.error().source()), "syntax: " + std::string(parsed.error().description())});
  }
  for (ConfigError& error : reading.errors)
    error.file = file_name;
  return reading;
}

}  // namespace cistern::server
