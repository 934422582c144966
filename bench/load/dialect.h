// Dialect: how a server wants to be asked, and what it answers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace cistern::load {

// A prefix of four characters and a number: all keys are equally long, and so are all replies.
using Key = std::array<char, 16>;
inline constexpr size_t kKeyPrefix = 4;
Key MakeKey(std::string_view prefix, uint64_t number);

class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual void AppendGet(const Key& key, std::string& out) const = 0;
  virtual void AppendMultiGet(std::span<const Key> keys, std::string& out) const = 0;
  // `ttl` in seconds; 0: none.
  virtual void AppendSet(const Key& key, std::string_view value, uint32_t ttl,
                         std::string& out) const = 0;

  // What comes back when every key is there and has `value`.
  virtual std::string GetReply(const Key& key, std::string_view value) const = 0;
  virtual std::string MultiGetReply(std::span<const Key> keys, std::string_view value) const = 0;
  virtual std::string_view SetReply() const = 0;
};

// "resp", "memcached" (its text protocol) or "memcached-meta" (its mg); null for any other.
std::unique_ptr<Dialect> MakeDialect(std::string_view name);

}  // namespace cistern::load
