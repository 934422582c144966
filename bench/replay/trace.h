// Trace: who was asked for, in order, as somebody recorded it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace cistern::bench {

struct Trace {
  std::string name;
  std::vector<uint32_t> requests;  // objects, numbered as they first appear
  std::vector<uint64_t> sizes;     // of the objects in bytes, as last seen; 1 where none is known

  uint64_t Footprint() const;     // bytes of all objects
  uint64_t RequestBytes() const;  // bytes of all requests
  // Of all requests as u64 object and u64 size, little endian: tells whether two have the same.
  std::string Sha256() const;
};

enum class TraceFormat : uint8_t {
  kOracleGeneral,  // libCacheSim's: u32 time, u64 object, u32 size, i64 next use, little endian
  kArc,            // text: start, count and two more; `count` blocks from `start`
  kBigEndian32,    // cache2k's: an object each
  kBigEndian64,    // scarab's
  kLirs,           // text: an object a line, other lines mean nothing
};

using TraceResult = tl::expected<Trace, std::string>;

// By the file's name, as those who publish traces name them.
tl::expected<TraceFormat, std::string> GuessFormat(std::string_view path);
// A whole file, also one packed by zstd, xz, gzip and the like. Requests of size 0 are dropped.
TraceResult ReadTrace(const std::string& path, TraceFormat format);
TraceResult ParseTrace(std::string name, std::string_view bytes, TraceFormat format);

}  // namespace cistern::bench
