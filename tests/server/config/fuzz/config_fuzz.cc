// Whatever the file: it is a whole configuration, or refused with reasons. The mutator knows the
// rows.
#include <cstdint>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "server/config/config_get.h"
#include "server/config/load.h"
#include "server/config/rows.h"

// libFuzzer's.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace cistern::server {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Run(std::string_view text) {
  const LoadedConfig loaded = ParseConfig(text, "/etc/cistern/fuzz.toml");
  if (!loaded) {
    Require(!loaded.error().empty() && !FormatErrors(loaded.error()).empty());
    for (const ConfigError& error : loaded.error())
      Require(!error.message.empty() && error.file == "/etc/cistern/fuzz.toml");
    return;
  }
  Require(!loaded->node.name.empty() && !loaded->server.listen.empty());
  Require(!loaded->cluster.advertise.empty() && loaded->server.memory > 0);
  std::set<std::string> names;
  for (const auto& [name, value] : ConfigGet(*loaded, "*"))
    Require(names.insert(name).second);
  // What was accepted is so again.
  Require(ParseConfig(text, "/etc/cistern/fuzz.toml").value() == *loaded);
}

constexpr std::string_view kValues[] = {"0",
                                        "1",
                                        "-1",
                                        "0x10",
                                        "1e3",
                                        "0.5",
                                        "inf",
                                        "nan",
                                        "true",
                                        "[]",
                                        "{}",
                                        "[[]]",
                                        "\"\"",
                                        "\"x\"",
                                        "\"1s\"",
                                        "\"250ms\"",
                                        "\"99999999999d\"",
                                        "\"1GiB\"",
                                        "\"9999999TiB\"",
                                        "\"127.0.0.1:0\"",
                                        "\"[::1]:1\"",
                                        "\"unix:s\"",
                                        "[\"127.0.0.1:1\", \"127.0.0.1:1\"]",
                                        "\"tls:127.0.0.1:1\"",
                                        "\"sqlite\"",
                                        "\"redis\"",
                                        "\"lru\"",
                                        "\"cache\"",
                                        "1979-05-27",
                                        "9223372036854775807",
                                        "[{ name = \"a\", peer = \"h:1\", client = \"h:2\" }]",
                                        "\"\\u0000\""};

std::string LineOf(const Row& row, std::minstd_rand& random) {
  std::string line;
  if (row.name.starts_with("group.") && random() % 4 == 0) line = "[[group]]\nname = \"g\"\n";
  if (!row.section().empty()) line += "[" + std::string(row.section()) + "]\n";
  const bool keeps_default = random() % 3 == 0 && !row.literal().empty();
  const std::string value(keeps_default ? row.literal() : kValues[random() % std::size(kValues)]);
  const bool quoted = keeps_default && random() % 2 == 0;
  return line + std::string(row.key()) + " = " + (quoted ? "\"" + value + "\"" : value) + "\n";
}

}  // namespace
}  // namespace cistern::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cistern::server::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  std::minstd_rand random(seed);
  const auto rows = cistern::server::ConfigRows();
  if (random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string text(reinterpret_cast<const char*>(data), size);
  const size_t line_end = text.find('\n', random() % (size + 1));
  const size_t at = line_end == std::string::npos ? size : line_end + 1;
  if (at > 0 && text[at - 1] != '\n') text.insert(at, "\n");
  text.insert(std::min(at, text.size()),
              cistern::server::LineOf(rows[random() % rows.size()], random));
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  text.copy(reinterpret_cast<char*>(data), text.size());
  return text.size();
}
