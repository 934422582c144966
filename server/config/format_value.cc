// value.h's other half: values and types as text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "server/config/units.h"
#include "server/config/value.h"

namespace cistern::server {
namespace {

struct ToText {
  const Row& row;
  const Target& target;

  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const TablesRef&) const { return {}; }
  std::string operator()(Ref<std::string> at) const {
    const std::string& text = at(target);
    return row.field.type == RowType::kSecret && !text.empty() ? "(hidden)" : text;
  }
  std::string operator()(Ref<bool> at) const { return at(target) ? "true" : "false"; }
  std::string operator()(Ref<int64_t> at) const { return std::to_string(at(target)); }
  std::string operator()(Ref<double> at) const { return fmt::format("{}", at(target)); }
  std::string operator()(Ref<Duration> at) const { return FormatDuration(at(target)); }
  std::string operator()(Ref<uint64_t> at) const { return FormatSize(at(target)); }
  std::string operator()(Ref<std::vector<std::string>> at) const {
    return fmt::format("{}", fmt::join(at(target), " "));
  }
  std::string operator()(const EnumRef& at) const { return std::string(at.now[at.get(target)]); }
};

std::string_view Example(const Row& row) {
  if (const std::string_view text = row.literal(); !text.empty()) return text;
  switch (row.field.type) {
    case RowType::kSize:
      return "64MiB";
    case RowType::kAddress:
    case RowType::kServer:
      return "127.0.0.1:6379";
    default:
      return {};
  }
}

}  // namespace

std::string FormatValue(const Row& row, const Target& target) {
  return std::visit(ToText{row, target}, row.field.access);
}

std::string FormatToml(const Row& row, std::string_view text) {
  switch (row.field.type) {
    case RowType::kBool:
    case RowType::kInteger:
    case RowType::kReal:
      return std::string(text);
    case RowType::kStringList:
    case RowType::kListenList:
      return fmt::format("[\"{}\"]", text);
    default:
      return fmt::format("\"{}\"", text);
  }
}

std::string_view TypeName(const Row& row) {
  switch (row.field.type) {
    case RowType::kString:
    case RowType::kSecret:
      return "string";
    case RowType::kName:
      return "name";
    case RowType::kPath:
      return "path";
    case RowType::kAddress:
    case RowType::kServer:
    case RowType::kListen:
      return "address";
    case RowType::kBool:
      return "bool";
    case RowType::kInteger:
      return "integer";
    case RowType::kReal:
      return "real";
    case RowType::kDuration:
      return "duration";
    case RowType::kSize:
      return "size";
    case RowType::kEnum:
      return "one of";
    case RowType::kStringList:
      return "list of strings";
    case RowType::kListenList:
      return "list of addresses";
    case RowType::kTable:
      return "table";
    case RowType::kTables:
      return "list of tables";
  }
  return {};
}

std::string Wanted(const Row& row) {
  if (const auto* words = std::get_if<EnumRef>(&row.field.access)) {
    return fmt::format("one of {}", fmt::join(words->now, ", "));
  }
  const std::string_view type = TypeName(row);
  const std::string_view article = type.front() == 'i' || type.front() == 'a' ? "an" : "a";
  const std::string_view example = Example(row);
  if (example.empty()) return fmt::format("{} {}", article, type);
  return fmt::format("{} {} such as {}", article, type, FormatToml(row, example));
}

}  // namespace cistern::server
