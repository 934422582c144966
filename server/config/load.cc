#include "server/config/load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "server/config/checks.h"
#include "server/config/reader.h"

namespace cistern::server {
namespace {

LoadedConfig CannotRead(const std::string& path, std::string_view why) {
  return tl::unexpected(std::vector{ConfigError{path, {}, "cannot be read: " + std::string(why)}});
}

}  // namespace

LoadedConfig LoadConfig(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) && !error) {
    return CannotRead(path, "it is not a file");
  }
  if (error) return CannotRead(path, error.message());
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return CannotRead(path, "permission denied, or the disk failed");
  return ParseConfig(text, path);
}

LoadedConfig ParseConfig(std::string_view text, const std::string& file_name) {
  Reading reading = ReadToml(text, file_name);
  if (!reading.is_syntax_error) {
    Complete(reading.config, reading.positions);
    for (Finding& finding : CheckConfig(reading.config, reading.positions)) {
      reading.errors.push_back({file_name, finding.position, std::move(finding.message)});
    }
  }
  if (reading.errors.empty()) return std::move(reading.config);
  std::ranges::stable_sort(reading.errors, {}, &ConfigError::position);
  return tl::unexpected(std::move(reading.errors));
}

}  // namespace cistern::server
