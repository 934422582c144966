#include "bench/load/dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace cistern::load {
namespace {

std::string_view View(const Key& key) {
  return {key.data(), key.size()};
}

class Resp final : public Dialect {
 public:
  void AppendGet(const Key& key, std::string& out) const override {
    out.append("*2\r\n$3\r\nGET\r\n$16\r\n").append(View(key)).append("\r\n");
  }
  void AppendMultiGet(std::span<const Key> keys, std::string& out) const override {
    fmt::format_to(std::back_inserter(out), "*{}\r\n$4\r\nMGET\r\n", keys.size() + 1);
    for (const Key& key : keys)
      out.append("$16\r\n").append(View(key)).append("\r\n");
  }
  void AppendSet(const Key& key, std::string_view value, uint32_t ttl,
                 std::string& out) const override {
    out.append(ttl == 0 ? "*3\r\n$3\r\nSET\r\n$16\r\n" : "*5\r\n$3\r\nSET\r\n$16\r\n");
    out.append(View(key)).append("\r\n").append(Bulk(value));
    if (ttl != 0) out.append("$2\r\nEX\r\n").append(Bulk(std::to_string(ttl)));
  }
  std::string GetReply(const Key&, std::string_view value) const override { return Bulk(value); }
  std::string MultiGetReply(std::span<const Key> keys, std::string_view value) const override {
    std::string reply = fmt::format("*{}\r\n", keys.size());
    for (size_t i = 0; i < keys.size(); ++i)
      reply += Bulk(value);
    return reply;
  }
  std::string_view SetReply() const override { return "+OK\r\n"; }

 private:
  static std::string Bulk(std::string_view text) {
    return fmt::format("${}\r\n{}\r\n", text.size(), text);
  }
};

class MemcachedText : public Dialect {
 public:
  void AppendGet(const Key& key, std::string& out) const override {
    AppendMultiGet({&key, 1}, out);
  }
  void AppendMultiGet(std::span<const Key> keys, std::string& out) const override {
    out.append("get");
    for (const Key& key : keys)
      out.append(" ").append(View(key));
    out.append("\r\n");
  }
  void AppendSet(const Key& key, std::string_view value, uint32_t ttl,
                 std::string& out) const override {
    fmt::format_to(std::back_inserter(out), "set {} 0 {} {}\r\n", View(key), ttl, value.size());
    out.append(value).append("\r\n");
  }
  std::string GetReply(const Key& key, std::string_view value) const override {
    return MultiGetReply({&key, 1}, value);
  }
  std::string MultiGetReply(std::span<const Key> keys, std::string_view value) const override {
    std::string reply;
    for (const Key& key : keys)
      reply += fmt::format("VALUE {} 0 {}\r\n{}\r\n", View(key), value.size(), value);
    return reply + "END\r\n";
  }
  std::string_view SetReply() const override { return "STORED\r\n"; }
};

// Answers a pipeline of gets in one write, which the text protocol does not.
class MemcachedMeta final : public MemcachedText {
 public:
  void AppendGet(const Key& key, std::string& out) const override {
    out.append("mg ").append(View(key)).append(" v\r\n");
  }
  std::string GetReply(const Key&, std::string_view value) const override {
    return fmt::format("VA {}\r\n{}\r\n", value.size(), value);
  }
};

}  // namespace

Key MakeKey(std::string_view prefix, uint64_t number) {
  Key key;
  std::copy_n(prefix.begin(), kKeyPrefix, key.begin());
  for (size_t i = key.size(); i-- > kKeyPrefix; number /= 10)
    key[i] = static_cast<char>('0' + number % 10);
  return key;
}

std::unique_ptr<Dialect> MakeDialect(std::string_view name) {
  if (name == "resp") return std::make_unique<Resp>();
  if (name == "memcached") return std::make_unique<MemcachedText>();
  if (name == "memcached-meta") return std::make_unique<MemcachedMeta>();
  return nullptr;
}

}  // namespace cistern::load
