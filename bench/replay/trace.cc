#include "bench/replay/trace.h"

#include <archive.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <unordered_map>

namespace cistern::bench {
namespace {

// Gives objects their numbers.
class Builder {
 public:
  explicit Builder(std::string name) { trace_.name = std::move(name); }
  void Add(uint64_t object, uint64_t size = 1) {
    if (size == 0) return;
    const auto [it, is_new] =
        numbers_.try_emplace(object, static_cast<uint32_t>(trace_.sizes.size()));
    if (is_new) trace_.sizes.push_back(size);
    trace_.sizes[it->second] = size;
    trace_.requests.push_back(it->second);
  }
  Trace Take() { return std::move(trace_); }

 private:
  Trace trace_;
  std::unordered_map<uint64_t, uint32_t> numbers_;
};

template <class T>
T Little(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

template <class T>
T Big(const char* at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value << 8 | static_cast<uint8_t>(at[i]));
  return value;
}

template <class Visit>
bool EachRecord(std::string_view bytes, size_t size, Visit visit) {
  for (size_t at = 0; at + size <= bytes.size(); at += size)
    visit(bytes.data() + at);
  return bytes.size() % size == 0;
}

// The numbers that the line begins with; returns how many.
size_t LeadingNumbers(std::string_view line, std::span<uint64_t> numbers) {
  size_t count = 0;
  const char* at = line.data();
  const char* const end = line.data() + line.size();
  while (count < numbers.size()) {
    while (at < end && *at == ' ')
      ++at;
    const auto [next, error] = std::from_chars(at, end, numbers[count]);
    if (error != std::errc()) break;
    at = next;
    ++count;
  }
  return count;
}

template <class Visit>
void EachLine(std::string_view bytes, Visit visit) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    visit(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
}

bool ParseInto(Builder& to, std::string_view bytes, TraceFormat format) {
  bool is_whole = true;
  switch (format) {
    case TraceFormat::kOracleGeneral:
      return EachRecord(bytes, 24, [&to](const char* at) {
        to.Add(Little<uint64_t>(at + 4), Little<uint32_t>(at + 12));
      });
    case TraceFormat::kBigEndian32:
      return EachRecord(bytes, 4, [&to](const char* at) { to.Add(Big<uint32_t>(at)); });
    case TraceFormat::kBigEndian64:
      return EachRecord(bytes, 8, [&to](const char* at) { to.Add(Big<uint64_t>(at)); });
    case TraceFormat::kArc:
      EachLine(bytes, [&](std::string_view line) {
        std::array<uint64_t, 2> range{};
        if (line.empty()) return;
        if (LeadingNumbers(line, range) < range.size()) is_whole = false;
        for (uint64_t i = 0; is_whole && i < range[1]; ++i)
          to.Add(range[0] + i);
      });
      return is_whole;
    case TraceFormat::kLirs:
      EachLine(bytes, [&to](std::string_view line) {
        std::array<uint64_t, 1> block{};
        if (LeadingNumbers(line, block) == 1) to.Add(block[0]);
      });
      return true;
  }
  return false;
}

tl::expected<std::string, std::string> ReadUnpacked(const std::string& path) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> file(archive_read_new(),
                                                                    archive_read_free);
  archive_read_support_filter_all(file.get());
  archive_read_support_format_raw(file.get());
  const auto failed = [&] {
    return tl::unexpected(path + ": " + archive_error_string(file.get()));
  };
  constexpr size_t kBlock = 1 << 20;
  if (archive_read_open_filename(file.get(), path.c_str(), kBlock) != ARCHIVE_OK) return failed();
  archive_entry* entry = nullptr;
  if (archive_read_next_header(file.get(), &entry) != ARCHIVE_OK) return failed();
  std::string bytes;
  while (true) {
    const size_t old = bytes.size();
    bytes.resize(old + kBlock);
    const la_ssize_t count = archive_read_data(file.get(), bytes.data() + old, kBlock);
    if (count < 0) return failed();
    bytes.resize(old + static_cast<size_t>(count));
    if (count == 0) return bytes;
  }
}

}  // namespace

uint64_t Trace::Footprint() const {
  return std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
}

uint64_t Trace::RequestBytes() const {
  uint64_t sum = 0;
  for (const uint32_t object : requests)
    sum += sizes[object];
  return sum;
}

std::string Trace::Sha256() const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const uint32_t object : requests) {
    const std::array<uint64_t, 2> record{object, sizes[object]};
    EVP_DigestUpdate(context.get(), record.data(), sizeof(record));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

tl::expected<TraceFormat, std::string> GuessFormat(std::string_view path) {
  constexpr std::pair<std::string_view, TraceFormat> kNames[] = {
      {"oracleGeneral", TraceFormat::kOracleGeneral},
      {".lis", TraceFormat::kArc},
      {"cache2k", TraceFormat::kBigEndian32},
      {"scarab", TraceFormat::kBigEndian64},
      {"lirs", TraceFormat::kLirs},
  };
  const std::string file = std::filesystem::path(path).filename();
  for (const auto& [part, format] : kNames) {
    if (file.find(part) != std::string::npos) return format;
  }
  return tl::unexpected(file + ": its name tells no format");
}

TraceResult ParseTrace(std::string name, std::string_view bytes, TraceFormat format) {
  Builder builder(name);
  if (!ParseInto(builder, bytes, format)) {
    return tl::unexpected(name + ": is no trace of that format, or cut off");
  }
  return builder.Take();
}

TraceResult ReadTrace(const std::string& path, TraceFormat format) {
  const auto bytes = ReadUnpacked(path);
  if (!bytes) return tl::unexpected(bytes.error());
  std::string name = std::filesystem::path(path).filename();
  return ParseTrace(name.substr(0, name.find('.')), *bytes, format);
}

}  // namespace cistern::bench
